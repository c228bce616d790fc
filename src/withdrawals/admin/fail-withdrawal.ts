import { Injectable } from '@nestjs/common';
import { Payouts } from '../../payouts/payouts';
import { RunPayouts } from '../../payouts/run-payouts';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentSession } from '../../platform/http/request-context';
import { WithdrawalChanges } from '../withdrawal-changes';
import { findAnywhere } from '../withdrawal-lookup';
import { type AdminWithdrawalObject, presentWithdrawalToStaff } from '../withdrawal-presenter';

/** Gives an approved withdrawal up that cannot be paid: the funds are available again. */
@Injectable()
export class FailWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly payouts: Payouts,
    private readonly running: RunPayouts,
    private readonly changes: WithdrawalChanges,
  ) {}

  /**
   * Whoever has taken it to pay it may have paid; somebody else has to say that nothing was sent (403 `self_approval`). While a chain
   * transaction that was named for it, or a simulated payout, is being looked up, nobody can (409).
   */
  async fail(id: string, reason: string): Promise<AdminWithdrawalObject> {
    await this.running.forgetUnheardOf(await findAnywhere((sql, values = []) => this.unitOfWork.read('', sql, values), id, false), id);
    return this.unitOfWork.run(async (tx) => {
      const before = await findAnywhere(tx.query, id, true);
      await this.payouts.giveUp(tx, before, id, reason, currentSession().personId);
      return presentWithdrawalToStaff(await this.changes.move(tx, before, 'fail', { failure: reason }));
    });
  }
}
