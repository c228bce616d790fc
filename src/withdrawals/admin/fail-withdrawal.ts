import { Injectable } from '@nestjs/common';
import type { DecisionBody, SignedHeaders } from '../../auth/decisions/decisions.dto';
import { type Query, SignedDecisions } from '../../auth/decisions/signed-decisions';
import { Payouts } from '../../payouts/payouts';
import { RunPayouts } from '../../payouts/run-payouts';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import type { Withdrawal } from '../withdrawal';
import { WithdrawalChanges } from '../withdrawal-changes';
import { findAnywhere } from '../withdrawal-lookup';
import { type AdminWithdrawalObject, presentWithdrawalToStaff } from '../withdrawal-presenter';
import { WithdrawalStateProblem } from '../withdrawals.errors';
import type { FailBody } from '../withdrawals.dto';

/** Gives an approved withdrawal up that cannot be paid: the funds are available again. */
@Injectable()
export class FailWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly decisions: SignedDecisions,
    private readonly payouts: Payouts,
    private readonly running: RunPayouts,
    private readonly changes: WithdrawalChanges,
  ) {}

  /**
   * Whoever has taken it to pay it may have paid; somebody else has to say that nothing was sent (403 `self_approval`). While a chain
   * transaction that was named for it may have paid it, or a simulated payout is looked up, nobody can (409). What somebody has signed to
   * be paid takes one signature more to undo.
   */
  async fail(id: string, headers: SignedHeaders, body: FailBody): Promise<AdminWithdrawalObject> {
    await this.running.refuseIfHeardOf(await findAnywhere((sql, values = []) => this.unitOfWork.read('', sql, values), id, false), id);
    return 'revision' in body ? this.signed(id, headers, body) : this.unsigned(id, body.reason);
  }

  private unsigned(id: string, reason: string): Promise<AdminWithdrawalObject> {
    return this.unitOfWork.run(async (tx) => {
      const before = await findAnywhere(tx.query, id, true);
      if (before.completions > 0) {
        throw new Problem('state_conflict', 'Somebody has signed that this was paid. It takes signed decisions (fail) of two people to give it up.');
      }
      return this.giveUp(tx, before, reason);
    });
  }

  private signed(id: string, headers: SignedHeaders, { reason, ...body }: DecisionBody & { reason: string }): Promise<AdminWithdrawalObject> {
    return this.decisions.decide('fail', id, headers, body, {
      load: (query, lock) => underWay(query, id, lock),
      apply: async (tx, subject, { voices }) => {
        if (voices > subject.completions) return this.giveUp(tx, subject, reason);
        return presentWithdrawalToStaff(await this.changes.touch(tx, subject, 'withdrawal.failure_signed'));
      },
      evidence: reason,
    });
  }

  private async giveUp(tx: Tx, before: Withdrawal, reason: string): Promise<AdminWithdrawalObject> {
    await this.payouts.giveUp(tx, before, before.id, reason, currentSession().personId);
    return presentWithdrawalToStaff(await this.changes.move(tx, before, 'fail', { failure: reason }));
  }
}

async function underWay(query: Query, id: string, lock: boolean): Promise<Withdrawal> {
  const withdrawal = await findAnywhere(query, id, lock);
  if (withdrawal.status !== 'approved' && withdrawal.status !== 'processing') throw new WithdrawalStateProblem(withdrawal, 'given up');
  return withdrawal;
}
