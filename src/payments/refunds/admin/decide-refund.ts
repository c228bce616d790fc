import { Injectable } from '@nestjs/common';
import type { DecisionBody, SignedHeaders } from '../../../auth/decisions/decisions.dto';
import { type Query, SignedDecisions } from '../../../auth/decisions/signed-decisions';
import type { Tx } from '../../../platform/database/unit-of-work';
import { OrderRefund } from '../paying/order-refund';
import type { Refund } from '../refund';
import { RefundChanges } from '../refund-changes';
import { findRefund, lockRefund } from '../refund-lookup';
import { type AdminRefundObject, presentRefundToStaff } from '../refund-presenter';
import { RefundStateProblem } from '../refunds.errors';
import type { RejectRefundBody } from '../refunds.dto';

/** Decisions of staff on refunds that wait for them. See SignedDecisions for what each must bring. */
@Injectable()
export class DecideRefund {
  constructor(
    private readonly decisions: SignedDecisions,
    private readonly changes: RefundChanges,
    private readonly ordering: OrderRefund,
  ) {}

  /** The one approval that is required: the payout is ordered in the same transaction. 503 while withdrawals are paused. */
  approve(id: string, headers: SignedHeaders, body: DecisionBody): Promise<AdminRefundObject> {
    return this.decisions.decide('approve', id, headers, body, {
      load: (query, lock) => waiting(query, id, lock, 'approved'),
      apply: async (tx, subject) => presentRefundToStaff(await this.approved(tx, subject)),
    });
  }

  /** Ends it: the funds are where they were. */
  reject(id: string, headers: SignedHeaders, { reason, ...body }: RejectRefundBody): Promise<AdminRefundObject> {
    return this.decisions.decide('reject', id, headers, body, {
      load: (query, lock) => waiting(query, id, lock, 'rejected'),
      apply: async (tx, subject) => presentRefundToStaff(await this.changes.move(tx, subject, 'reject', { failure: reason ?? 'rejected' })),
      evidence: reason,
    });
  }

  /** What follows from an approval that is written. */
  async approved(tx: Tx, before: Refund): Promise<Refund> {
    await tx.query("select check_running('withdrawals', $1)", [before.clientId]);
    const after = await this.changes.move(tx, before, 'approve');
    await this.ordering.order(tx, after);
    return after;
  }
}

async function waiting(query: Query, id: string, lock: boolean, wanted: string): Promise<Refund> {
  const refund = await (lock ? lockRefund(query, id) : findRefund(query, id));
  if (refund.status !== 'requires_approval') throw new RefundStateProblem(refund, wanted);
  return refund;
}
