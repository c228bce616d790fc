import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import type { Book } from '../../platform/outbox/outbox';
import { type DestinationRow, presentDestination } from './destination';

/**
 * Locked against every reader that locks, foreign keys included: a withdrawal that is being asked for has read the destination with a
 * share lock, so it is seen here, or waits and finds the destination gone.
 */
const LOCK = 'select * from destinations where client_id = $1 and livemode = $2 and id = $3 and deleted_at is null for update';
const OPEN = `
  select id from withdrawals
   where client_id = $1 and livemode = $2 and destination_id = $3 and status in ('pending_review', 'approved', 'processing')
   order by id limit 1`;
const DELETE = 'update destinations set deleted_at = now() where client_id = $1 and livemode = $2 and id = $3';

/** Takes a destination away. The row stays for the withdrawals that went there. */
@Injectable()
export class DeleteDestination {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** 404 when there is none (any more), 409 while an open withdrawal is to go there. */
  delete(id: string): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const { clientId, livemode } = currentAccess();
      const [row] = await tx.query<DestinationRow>(LOCK, [clientId, livemode, id]);
      if (!row) throw new NotFoundProblem('destination');
      await refuseInUse(tx, { clientId, livemode }, id);
      await tx.query(DELETE, [clientId, livemode, id]);
      await this.audit.record(tx, { clientId, livemode }, { kind: 'destination.deleted', objectId: id, before: presentDestination(row) });
    });
  }
}

async function refuseInUse(tx: Tx, { clientId, livemode }: Book, id: string): Promise<void> {
  const [open] = await tx.query<{ id: string }>(OPEN, [clientId, livemode, id]);
  if (!open) return;
  throw new Problem('state_conflict', `Withdrawal ${open.id} is to go there. Cancel it, or delete the destination when it is over.`);
}
