import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { Client } from '../client.entity';
import { type AdminClientObject, type ChangeClientBody, presentClientToStaff } from './admin-clients.dto';

const UPDATE = `
  update clients
     set name = $2, status = $3, live_enabled = $4, fee_bps = $5, rate_multiplier = $6, revision = revision + 1, updated_at = now()
   where id = $1`;

/**
 * Changes, suspends and closes clients. The client's revision grows with each change, so that whatever its keys and people are about to
 * change is decided again on the new terms: from this commit on, on every instance. Reads follow within two seconds.
 */
@Injectable()
export class ChangeClient {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Changes the named fields; nothing is written when none differs. 409 for a closed client: closing is final. */
  change(id: string, { reason, ...fields }: ChangeClientBody): Promise<AdminClientObject> {
    return this.unitOfWork.run(async (tx) => {
      const before = presentClientToStaff(await clientForChange(tx, id));
      if (before.status === 'closed') throw new Problem('state_conflict', 'This client is closed for good. Create a new one instead.');
      const wanted: AdminClientObject = { ...before, ...fields };
      if (isDeepStrictEqual(wanted, before)) return before;
      await tx.query(UPDATE, [id, wanted.name, wanted.status, wanted.live_enabled, wanted.fee_bps, wanted.rate_multiplier]);
      const after = presentClientToStaff(await tx.manager.findOneByOrFail(Client, { id }));
      await this.audit.record(tx, { clientId: id }, {
        kind: 'client.updated', objectId: id, before, after: reason === undefined ? after : { ...after, reason },
      });
      return after;
    });
  }
}

async function clientForChange(tx: Tx, id: string): Promise<Client> {
  const client = await tx.manager.findOne(Client, { where: { id }, lock: { mode: 'for_no_key_update' } });
  if (!client) throw new NotFoundProblem('client');
  return client;
}
