import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log';
import { Ledger } from '../ledger/ledger.service';
import type { SettledBy } from '../payouts/payout';
import type { Tx } from '../platform/database/unit-of-work';
import { Problem } from '../platform/http/problem';
import { Metrics } from '../platform/observability/metrics';
import { Outbox } from '../platform/outbox/outbox';
import { type Withdrawal, withdrawalFromRow, type WithdrawalRow } from './withdrawal';
import { presentWithdrawal, presentWithdrawalToStaff } from './withdrawal-presenter';
import { countWithdrawal } from './withdrawal-metrics';
import { statusAfter, type WithdrawalTrigger } from './withdrawal-state';
import { WithdrawalStateProblem } from './withdrawals.errors';

/** What is written beside the new status. */
export interface MoveDetails {
  failure?: string;
  settledBy?: SettledBy;
  transactionHash?: string;
  review?: 'released' | 'rejected';
}

/** How a problem calls what was asked. */
const WANTED: Readonly<Record<WithdrawalTrigger, string>> = {
  approve: 'approved', reject: 'rejected', cancel: 'canceled', pay: 'paid out', complete: 'completed', fail: 'given up',
};
/** What becomes of the hold. */
const ENDS: Partial<Record<WithdrawalTrigger, 'post' | 'void'>> = { complete: 'post', reject: 'void', cancel: 'void', fail: 'void' };

const UPDATE = `
  with moved as (
    update withdrawals
       set status = $5, failure = coalesce($6, failure), settled_by = coalesce($7, settled_by), transaction_hash = coalesce($8, transaction_hash),
           review = coalesce($9, review),
           revision = revision + 1, updated_at = now()
     where client_id = $1 and livemode = $2 and id = $3 and revision = $4 and withdrawal_may_become(status, $5)
    returning *)
  select * from moved`;

/** It has ended before any analyst had decided. */
const CLOSE_REVIEW = `
  update risk_reviews set status = 'closed' where client_id = $1 and livemode = $2 and subject_id = $3 and status = 'open'`;

/** Writes every change of a withdrawal: the row, what becomes of the hold, the audit event and what the merchant is told, in one transaction. */
@Injectable()
export class WithdrawalChanges {
  constructor(
    private readonly ledger: Ledger,
    private readonly audit: AuditLog,
    private readonly outbox: Outbox,
    private readonly metrics: Metrics,
  ) {}

  /** Moves a locked withdrawal on; 409 `state_conflict` when its status does not allow it. */
  async move(tx: Tx, before: Withdrawal, trigger: WithdrawalTrigger, details: MoveDetails = {}): Promise<Withdrawal> {
    const status = statusAfter(before.status, trigger);
    if (!status) throw new WithdrawalStateProblem(before, WANTED[trigger]);
    const after = await this.write(tx, before, status, details);
    const end = ENDS[trigger];
    if (end) await this.ledger[end](tx, before, before.holdId);
    if (after.review === 'held') await tx.query(CLOSE_REVIEW, [after.clientId, after.livemode, after.id]);
    const kind = `withdrawal.${status}`;
    await this.note(tx, kind, before, after);
    await this.outbox.emit(tx, after, [{ type: kind, objectId: after.id, data: presentWithdrawal(after) }]);
    tx.afterCommit(() => countWithdrawal(this.metrics, after));
    return after;
  }

  /** Something was added to a withdrawal that stays where it is: its revision grows, so that what was signed before is void. */
  async touch(tx: Tx, before: Withdrawal, kind: string, details: MoveDetails = {}): Promise<Withdrawal> {
    const after = await this.write(tx, before, before.status, details);
    await this.note(tx, kind, before, after);
    return after;
  }

  private async write(tx: Tx, { clientId, livemode, id, revision }: Withdrawal, status: string, details: MoveDetails): Promise<Withdrawal> {
    const [row] = await tx.query<WithdrawalRow>(UPDATE, [
      clientId, livemode, id, revision.toString(), status, details.failure ?? null, details.settledBy ?? null, details.transactionHash ?? null,
      details.review ?? null,
    ]);
    if (!row) throw new Problem('state_conflict', 'This withdrawal was changed meanwhile. Read it again.');
    return withdrawalFromRow(row);
  }

  private note(tx: Tx, kind: string, before: Withdrawal, after: Withdrawal): Promise<void> {
    return this.audit.record(tx, after, { kind, objectId: after.id, before: presentWithdrawalToStaff(before), after: presentWithdrawalToStaff(after) });
  }
}
