import { Injectable } from '@nestjs/common';
import type { Decision } from '../../auth/decisions/admin-signature';
import type { DecisionBody, SignedHeaders } from '../../auth/decisions/decisions.dto';
import { type Query, SignedDecisions } from '../../auth/decisions/signed-decisions';
import type { Tx } from '../../platform/database/unit-of-work';
import { Payouts } from '../../payouts/payouts';
import type { Withdrawal } from '../withdrawal';
import { WithdrawalChanges } from '../withdrawal-changes';
import { findAnywhere } from '../withdrawal-lookup';
import { type AdminWithdrawalObject, presentWithdrawalToStaff } from '../withdrawal-presenter';
import { WithdrawalHeld, WithdrawalStateProblem } from '../withdrawals.errors';
import type { RejectBody } from '../withdrawals.dto';

/** Decisions of staff on withdrawals that wait for them. See SignedDecisions for what each must bring. */
@Injectable()
export class DecideWithdrawal {
  constructor(
    private readonly decisions: SignedDecisions,
    private readonly changes: WithdrawalChanges,
    private readonly payouts: Payouts,
  ) {}

  /** One more approval; with the last one that is required the payout is ordered, in the same transaction. 503 while withdrawals are paused. */
  approve(id: string, headers: SignedHeaders, body: DecisionBody): Promise<AdminWithdrawalObject> {
    return this.decisions.decide('approve', id, headers, body, {
      load: (query, lock) => waiting(query, id, lock, 'approve'),
      apply: async (tx, subject, { voices }) => presentWithdrawalToStaff(await this.approved(tx, { ...subject, approvals: voices })),
    });
  }

  /** One rejection ends it: the funds are available again. */
  reject(id: string, headers: SignedHeaders, { reason, ...body }: RejectBody): Promise<AdminWithdrawalObject> {
    return this.decisions.decide('reject', id, headers, body, {
      load: (query, lock) => waiting(query, id, lock, 'reject'),
      apply: async (tx, subject) => presentWithdrawalToStaff(await this.changes.move(tx, subject, 'reject', { failure: reason ?? 'rejected' })),
      evidence: reason,
    });
  }

  /** What follows from an approval that is written; `before.approvals` counts it. */
  async approved(tx: Tx, before: Withdrawal): Promise<Withdrawal> {
    await tx.query("select check_running('withdrawals', $1)", [before.clientId]);
    if (before.approvals < before.approvalsRequired) return this.changes.touch(tx, before, 'withdrawal.approval_given');
    const after = await this.changes.move(tx, before, 'approve');
    await this.payouts.order(tx, orderOf(after));
    return after;
  }
}

/** What is to be paid for a withdrawal. */
export function orderOf({ clientId, livemode, id, amountMinor, currency, destination, createdAt }: Withdrawal) {
  return { clientId, livemode, subjectId: id, amountMinor, currency, destination, notBefore: createdAt };
}

async function waiting(query: Query, id: string, lock: boolean, decision: Decision): Promise<Withdrawal> {
  const withdrawal = await findAnywhere(query, id, lock);
  if (withdrawal.status !== 'pending_review') throw new WithdrawalStateProblem(withdrawal, decision === 'approve' ? 'approved' : 'rejected');
  if (decision === 'approve' && withdrawal.review === 'held') throw new WithdrawalHeld(withdrawal);
  return withdrawal;
}
