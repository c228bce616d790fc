import { AMOUNT_RULES, type AmountFacts } from './amount-rules';
import { assess, counted, type Risk, type RiskRule, spanText } from './risk';

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

const QUICK_SECONDS = 10 * 60;
const MANY_REFUNDS = 5;

const secondsSincePaid = ({ paidAt, now }: RefundFacts) => (now.getTime() - paidAt.getTime()) / 1000;

/**
 * The signals of a refund. Giving back whole payments at once, one after the other, as one does when trying the API, stays below a
 * review.
 */
const RULES: readonly RiskRule<RefundFacts>[] = [
  {
    weight: 20,
    when: (facts) => facts.amountMinor >= facts.receivedMinor && secondsSincePaid(facts) < QUICK_SECONDS,
    reason: (facts) => `whole payment given back ${spanText(secondsSincePaid(facts))} after it was paid`,
  },
  {
    weight: 25,
    when: ({ refundsLastHour, paymentsLastHour }) => refundsLastHour >= MANY_REFUNDS && refundsLastHour * 2 >= paymentsLastHour,
    reason: ({ refundsLastHour, paymentsLastHour }) =>
      `${counted(refundsLastHour, 'refund')} in the last hour against ${counted(paymentsLastHour, 'payment')}`,
  },
  ...AMOUNT_RULES,
];

/** How risky a refund looks: `allow`, or `review` by people. It never blocks. */
export function assessRefund(facts: RefundFacts): Risk {
  return assess(RULES, facts);
}
