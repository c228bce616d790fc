import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { currentAccess } from '../platform/http/request-context';
import { DecideWithdrawal } from './admin/decide-withdrawal';
import { ReviewWithdrawal } from './review-withdrawal';
import type { Withdrawal } from './withdrawal';
import { WithdrawalChanges } from './withdrawal-changes';
import { findInBook } from './withdrawal-lookup';
import { presentWithdrawal, type WithdrawalObject } from './withdrawal-presenter';
import { WithdrawalStateProblem } from './withdrawals.errors';
import type { SimulateWithdrawalBody } from './withdrawals.dto';

const VOICE = `
  insert into decisions (client_id, livemode, subject_id, decision, person_id, requested_by, revision, amount_minor, currency, destination, simulated)
  select client_id, livemode, id, $4, $5, requested_by, revision, amount_minor, currency, destination, true
    from withdrawals where client_id = $1 and livemode = $2 and id = $3`;
const PLAN = `
  insert into simulated_plans (client_id, livemode, subject_id, outcome) values ($1, $2, $3, $4)
  on conflict (client_id, livemode, subject_id) do update set outcome = excluded.outcome`;

/** Staff and a bank of straw for test keys: what they decide goes the same way, with the same checks of the database, as what people do. */
@Injectable()
export class SimulateWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly decisions: DecideWithdrawal,
    private readonly changes: WithdrawalChanges,
    private readonly review: ReviewWithdrawal,
  ) {}

  /** Decides on a test withdrawal and says how its payout is to end; 409 when it was decided before. */
  decide(id: string, { decision, payout }: SimulateWithdrawalBody): Promise<WithdrawalObject> {
    return this.unitOfWork.run(async (tx) => {
      let withdrawal = await findInBook(tx.query, currentAccess(), id, true);
      if (withdrawal.status !== 'pending_review') throw new WithdrawalStateProblem(withdrawal, 'decided on');
      const { clientId, livemode } = withdrawal;
      await tx.query(PLAN, [clientId, livemode, id, payout]);
      const speak = (voice: number) => tx.query(VOICE, [clientId, livemode, id, decision, `simulator-${voice}`]);
      if (decision === 'reject') {
        await speak(1);
        return presentWithdrawal(await this.changes.move(tx, withdrawal, 'reject', { failure: 'rejected by the simulator' }));
      }
      if (withdrawal.review === 'held') withdrawal = await this.review.releaseIn(tx, withdrawal);
      while (withdrawal.status === 'pending_review') {
        const voice: number = withdrawal.approvals + 1;
        await speak(voice);
        withdrawal = await this.decisions.approved(tx, { ...withdrawal, approvals: voice } satisfies Withdrawal);
      }
      return presentWithdrawal(withdrawal);
    });
  }
}
