import { Injectable } from '@nestjs/common';
import type { SignedHeaders } from '../../auth/decisions/decisions.dto';
import { type Query, SignedDecisions } from '../../auth/decisions/signed-decisions';
import { SecondFactorCodes } from '../../auth/two-factor/second-factor-codes';
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
import type { CompleteBody } from '../withdrawals.dto';
import { orderOf } from './decide-withdrawal';

const VOICES_FOR_A_BANK = 2;

/** Payouts that people make: taken by one of them before they pay, then shown on the chain, or signed for by two. */
@Injectable()
export class CompleteWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly decisions: SignedDecisions,
    private readonly codes: SecondFactorCodes,
    private readonly payouts: Payouts,
    private readonly running: RunPayouts,
    private readonly changes: WithdrawalChanges,
  ) {}

  /** Takes an approved withdrawal, so that nobody else pays it too: it is `processing` from here on. */
  begin(id: string): Promise<AdminWithdrawalObject> {
    return this.unitOfWork.run(async (tx) => {
      const before = await findAnywhere(tx.query, id, true);
      refuseSimulated(before);
      if (before.status !== 'approved') throw new WithdrawalStateProblem(before, 'taken');
      await tx.query("select check_running('withdrawals', $1)", [before.clientId]);
      await this.payouts.begin(tx, orderOf(before), currentSession().personId);
      return presentWithdrawalToStaff(await this.changes.move(tx, before, 'pay'));
    });
  }

  /** A chain payout is looked up at once, and again until it is final; one through a bank takes the signed word of two people. */
  complete(id: string, headers: SignedHeaders, body: CompleteBody, code?: string): Promise<AdminWithdrawalObject> {
    return 'hash' in body ? this.onChain(id, body.hash, body.totp_code ?? code) : this.byBank(id, headers, body);
  }

  private async onChain(id: string, hash: string, code: string | undefined): Promise<AdminWithdrawalObject> {
    const unheardOf = await this.running.unheardOf(await this.find(id), id);
    const payout = await this.codes.guard(code, async (tx) => {
      const before = await findAnywhere(tx.query, id, true);
      refuseSimulated(before);
      if (before.currency !== 'USDT') throw new Problem('state_conflict', 'This withdrawal goes to a bank. Two people have to sign that it was paid.');
      await this.underWay(tx, before);
      return this.payouts.paidOnChain(tx, orderOf(before), hash, currentSession().personId, unheardOf);
    });
    await this.running.run(payout);
    return presentWithdrawalToStaff(await this.find(id));
  }

  private find(id: string): Promise<Withdrawal> {
    return findAnywhere((sql, values = []) => this.unitOfWork.read('', sql, values), id, false);
  }

  private byBank(id: string, headers: SignedHeaders, { evidence, ...body }: Exclude<CompleteBody, { hash: string }>): Promise<AdminWithdrawalObject> {
    return this.decisions.decide('complete', id, headers, body, {
      load: (query, lock) => ofABank(query, id, lock),
      apply: async (tx, subject, { voices }) => {
        const before = { ...subject, completions: voices };
        if (voices < VOICES_FOR_A_BANK) return presentWithdrawalToStaff(await this.proposed(tx, before));
        const payout = await this.payouts.alive(tx, before, id);
        if (payout) await this.payouts.write(tx, payout, { status: 'completed' });
        const under = await this.underWay(tx, before);
        return presentWithdrawalToStaff(await this.changes.move(tx, under, 'complete', { settledBy: 'people' }));
      },
      evidence,
    });
  }

  /** The first of the two: the attempt is stored, if nobody has taken it before. */
  private async proposed(tx: Tx, before: Withdrawal): Promise<Withdrawal> {
    if (!(await this.payouts.alive(tx, before, before.id))) await this.payouts.begin(tx, orderOf(before), currentSession().personId);
    return before.status === 'approved' ? this.changes.move(tx, before, 'pay') : this.changes.touch(tx, before, 'withdrawal.completion_signed');
  }

  private async underWay(tx: Tx, before: Withdrawal): Promise<Withdrawal> {
    if (before.status === 'approved') return this.changes.move(tx, before, 'pay');
    if (before.status !== 'processing') throw new WithdrawalStateProblem(before, 'completed');
    return before;
  }
}

async function ofABank(query: Query, id: string, lock: boolean): Promise<Withdrawal> {
  const withdrawal = await findAnywhere(query, id, lock);
  refuseSimulated(withdrawal);
  if (withdrawal.currency === 'USDT') throw new Problem('state_conflict', 'This withdrawal goes to a chain address. Send the hash of the chain transaction that paid it.');
  if (withdrawal.status !== 'approved' && withdrawal.status !== 'processing') throw new WithdrawalStateProblem(withdrawal, 'completed');
  return withdrawal;
}

/** In test mode the simulator pays, and people have nothing to complete. */
function refuseSimulated({ livemode }: Withdrawal): void {
  if (!livemode) throw new Problem('state_conflict', 'This is a test withdrawal: the simulator pays it.');
}
