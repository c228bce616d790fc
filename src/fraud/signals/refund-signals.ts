import { spanText } from '../risk';
import { type AmountFacts, amountSignals } from './amount-signals';
import { type ContextRequest, listSignals, type RiskContext } from './risk-context';
import type { Signals } from './signal-catalogue';

/** What is known when a refund is asked for. Histories are of the same book and currency, and of refunds that succeeded. */
export interface RefundFacts extends AmountFacts {
  /** What was received for the payment in all, in minor units. */
  receivedMinor: bigint;
  /** When the payment was paid. */
  paidAt: Date;
  /** Refunds asked for within the last 60 minutes, this one included, and payments that succeeded within them. */
  refundsLastHour: number;
  paymentsLastHour: number;
  now: Date;
}

/** What is looked up for a refund beside its own history: whether its customer or destination stands on a list. */
export function refundRequest(refund: { clientId: string; livemode: boolean; customer: string | null; destination: string }): ContextRequest {
  const { clientId, livemode, customer, destination } = refund;
  return { clientId, livemode, entities: [], lists: { ...(customer ? { customer } : {}), ...(destination ? { destination } : {}) } };
}

/** The signals of a refund. */
export function refundSignals(facts: RefundFacts, context: Pick<RiskContext, 'hits'>): Signals {
  const secondsSincePaid = (facts.now.getTime() - facts.paidAt.getTime()) / 1000;
  return {
    subject: 'refund',
    ...listSignals(context),
    ...amountSignals(facts),
    whole_payment: facts.amountMinor >= facts.receivedMinor,
    minutes_since_paid: secondsSincePaid / 60,
    paid_ago: spanText(secondsSincePaid),
    refunds_1h: facts.refundsLastHour,
    refunds_1h_usual: null,
    payments_1h: facts.paymentsLastHour,
    refunds_per_payment: facts.refundsLastHour / Math.max(1, facts.paymentsLastHour),
  };
}
