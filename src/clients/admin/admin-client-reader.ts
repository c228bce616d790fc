import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import type { Client } from '../client.entity';
import { ClientChanges } from '../history/client-changes';
import type { ClientChangeObject } from '../history/client-changes.dto';
import { type AdminClientObject, type ListClientsQuery, presentClientToStaff } from './admin-clients.dto';

const SELECT = `
  select id, name, status, live_enabled as "liveEnabled", fee_bps as "feeBps", rate_multiplier as "rateMultiplier",
         created_at as "createdAt", updated_at as "updatedAt"
    from clients`;

/** Reads any client, for staff. */
@Injectable()
export class AdminClientReader {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly changes: ClientChanges,
  ) {}

  async get(id: string): Promise<AdminClientObject> {
    const [client] = await this.unitOfWork.read<Client>('get_client', `${SELECT} where id = $1`, [id]);
    if (!client) throw new NotFoundProblem('client');
    return presentClientToStaff(client);
  }

  /** A page of clients, newest first. */
  async list({ status, ...page }: ListClientsQuery): Promise<Page<AdminClientObject>> {
    const clause = keyset('cli', { status }, page);
    return toPage(await this.unitOfWork.read<Client>('', `${SELECT} ${clause.sql}`, clause.values), page, presentClientToStaff);
  }

  /** A page of what was changed about a client; 404 when there is none, not an empty page. */
  async history(id: string, page: PageQuery): Promise<Page<ClientChangeObject>> {
    await this.get(id);
    return this.changes.of(id, page);
  }
}
