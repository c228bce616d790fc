import { Injectable } from '@nestjs/common';
import { Payouts } from '../../../payouts/payouts';
import { RunPayouts } from '../../../payouts/run-payouts';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import { Problem } from '../../../platform/http/problem';
import { currentSession } from '../../../platform/http/request-context';
import { payoutOf } from '../paying/order-refund';
import type { Refund } from '../refund';
import { RefundChanges } from '../refund-changes';
import { findRefund, lockRefund } from '../refund-lookup';
import { type AdminRefundObject, presentRefundToStaff } from '../refund-presenter';
import { RefundStateProblem } from '../refunds.errors';

/** Refunds that people pay on a chain by hand: taken by one of them before they pay, then shown by the transaction's hash. */
@Injectable()
export class PayRefund {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly payouts: Payouts,
    private readonly running: RunPayouts,
    private readonly changes: RefundChanges,
  ) {}

  /** Takes a refund, so that nobody else pays it too. 503 while withdrawals are paused. */
  begin(id: string): Promise<AdminRefundObject> {
    return this.unitOfWork.run(async (tx) => {
      const refund = await this.toPay(tx, id, 'taken');
      await tx.query("select check_running('withdrawals', $1)", [refund.clientId]);
      await this.payouts.begin(tx, payoutOf(refund), currentSession().personId);
      return presentRefundToStaff(refund);
    });
  }

  /** Names the chain transaction that paid it, which is looked up at once, and again until it is final. */
  async complete(id: string, hash: string): Promise<AdminRefundObject> {
    const unheardOf = await this.running.unheardOf(await this.find(id), id);
    const payout = await this.unitOfWork.run(async (tx) => {
      const refund = await this.toPay(tx, id, 'completed');
      return this.payouts.paidOnChain(tx, payoutOf(refund), hash, currentSession().personId, unheardOf);
    });
    await this.running.run(payout);
    return presentRefundToStaff(await this.find(id));
  }

  /**
   * Gives a refund up that cannot be paid: the funds are where they were. Whoever has taken it may have paid; somebody else has to say
   * that nothing was sent (403 `self_approval`). While a transaction that was named for it is being looked up, nobody can (409).
   */
  async fail(id: string, reason: string): Promise<AdminRefundObject> {
    await this.running.refuseIfHeardOf(await this.find(id), id);
    return this.unitOfWork.run(async (tx) => {
      const refund = await this.toPay(tx, id, 'given up');
      await this.payouts.giveUp(tx, refund, id, reason, currentSession().personId);
      return presentRefundToStaff(await this.changes.move(tx, refund, 'fail', { failure: reason }));
    });
  }

  private find(id: string): Promise<Refund> {
    return findRefund((sql, values = []) => this.unitOfWork.read('', sql, values), id);
  }

  /** 409 unless it is people who pay this refund, and it is time to. */
  private async toPay(tx: Tx, id: string, wanted: string): Promise<Refund> {
    const refund = await lockRefund(tx.query, id);
    if (!refund.livemode) throw new Problem('state_conflict', 'This is a test refund: the simulator pays it.');
    if (refund.destination === '') throw new Problem('state_conflict', 'This refund goes back through the provider, which pays it.');
    if (refund.status !== 'pending') throw new RefundStateProblem(refund, wanted);
    return refund;
  }
}
