import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import { Client } from '../client.entity';
import { type ClientObject, presentClient } from './settings.dto';

/** Gives a client the name that it wants. */
@Injectable()
export class RenameClient {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  rename(name: string): Promise<ClientObject> {
    return this.unitOfWork.run(async (tx) => {
      const { clientId: id, livemode } = currentAccess();
      const before = await tx.manager.findOneOrFail(Client, { where: { id }, lock: { mode: 'for_no_key_update' } });
      if (before.name === name) return presentClient(before, livemode);
      await tx.query('update clients set name = $2, revision = revision + 1, updated_at = now() where id = $1', [id, name]);
      const change = { kind: 'client.renamed', objectId: id, before: { name: before.name }, after: { name } };
      await this.audit.record(tx, { clientId: id }, change);
      return presentClient(await tx.manager.findOneByOrFail(Client, { id }), livemode);
    });
  }
}
