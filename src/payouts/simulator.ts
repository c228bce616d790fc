import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import type { Payout } from './payout';
import type { PayoutFinding, PayoutPort } from './payout-port';

/** How a simulated payout ends: paid; refused; paid without an answer; lost on the way the first time, without an answer. */
export const SIMULATED_OUTCOMES = ['completed', 'failed', 'timeout', 'lost'] as const;
export type SimulatedOutcome = (typeof SIMULATED_OUTCOMES)[number];

/** The simulator was asked not to answer. */
class NoAnswer extends Error {}

const REFUSAL = 'the simulated provider refuses it';

/**
 * Pays with nothing, for test mode. It keeps a book of its own, as a provider would: each order that reaches it is paid, a second one for
 * the same payout too, so that a gateway that sends twice is found out.
 */
@Injectable()
export class SimulatorPort implements PayoutPort {
  readonly lookAfterMs = 1_000;
  readonly resendAfterMs = 5_000;

  constructor(private readonly unitOfWork: UnitOfWork) {}

  async send(payout: Payout): Promise<PayoutFinding> {
    const outcome = await this.planOf(payout);
    if (outcome === 'failed') return { state: 'refused', reason: REFUSAL };
    if (outcome === 'lost' && payout.sends === 1) throw new NoAnswer('The simulated provider was not reached.');
    await this.unitOfWork.read(
      'simulate_payout', 'insert into simulated_payouts (client_id, livemode, payout_id) values ($1, $2, $3)',
      [payout.clientId, payout.livemode, payout.id],
    );
    if (outcome === 'timeout') throw new NoAnswer('The simulated provider does not answer.');
    return { state: 'paid', by: 'simulator' };
  }

  async lookUp(payout: Payout): Promise<PayoutFinding> {
    const rows = await this.unitOfWork.read(
      'find_simulated_payout', 'select 1 from simulated_payouts where client_id = $1 and livemode = $2 and payout_id = $3 limit 1',
      [payout.clientId, payout.livemode, payout.id],
    );
    if (rows.length > 0) return { state: 'paid', by: 'simulator' };
    return (await this.planOf(payout)) === 'failed' ? { state: 'refused', reason: REFUSAL } : { state: 'none' };
  }

  private async planOf({ clientId, livemode, subjectId }: Payout): Promise<SimulatedOutcome> {
    const [plan] = await this.unitOfWork.read<{ outcome: SimulatedOutcome }>(
      'get_simulated_plan', 'select outcome from simulated_plans where client_id = $1 and livemode = $2 and subject_id = $3',
      [clientId, livemode, subjectId],
    );
    return plan?.outcome ?? 'completed';
  }
}
