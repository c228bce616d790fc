import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { currentAccess } from '../../platform/http/request-context';
import { type ChangeRow, type ClientChangeObject, presentChange, presentOwnChange } from './client-changes.dto';

const COLUMNS = 'id, kind, livemode, object_id, actor_type, actor_id, ip, request_id, before, after, occurred_at';
/** Written as the index audit_events_of_client_changes has it: payments, of which there are millions, are not even passed by. */
const OF_CLIENTS = `split_part(kind, '.', 1) in ('client', 'api_key', 'webhook_endpoint')`;

/** What was changed about a client: itself, its settings, keys and endpoints. */
@Injectable()
export class ClientChanges {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page of everything that was changed about a client, newest first. */
  async of(clientId: string, page: PageQuery): Promise<Page<ClientChangeObject>> {
    return toPage(await this.read(clientId, page, OF_CLIENTS), page, presentChange);
  }

  /** A page of what was changed about the caller's client in this mode and in both, newest first. */
  async own(page: PageQuery): Promise<Page<ClientChangeObject>> {
    const { clientId, livemode } = currentAccess();
    const inThisMode = `${OF_CLIENTS} and livemode is not ${livemode ? 'false' : 'true'}`;
    return toPage(await this.read(clientId, page, inThisMode), page, presentOwnChange);
  }

  private read(clientId: string, page: PageQuery, which: string): Promise<ChangeRow[]> {
    const clause = keyset('aud', { client_id: clientId }, page, which);
    return this.unitOfWork.read<ChangeRow>('', `select ${COLUMNS} from audit_events ${clause.sql}`, clause.values);
  }
}
