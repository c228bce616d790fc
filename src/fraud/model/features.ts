import { customerRecord, type CustomerRecord, timesUsual } from './customer-record';
import type { PaymentFacts } from './facts';
import { pointRecord, type PointRecord } from './point-record';

interface Parts {
  facts: PaymentFacts;
  customer: CustomerRecord;
  point: PointRecord;
}

/** One figure that the model sees. */
export interface Feature {
  name: string;
  /** What it is, for people who read why a payment was scored as it was. */
  meaning: string;
  value: (parts: Parts) => number;
}

export const FEATURES: readonly Feature[] = [
  { name: 'amount', meaning: 'the amount', value: ({ facts }) => facts.payment.amount },
  {
    name: 'amount_times_usual',
    meaning: "the amount as a multiple of the customer's usual one",
    value: ({ facts, customer }) => timesUsual(facts.payment.amount, customer.usualAmount),
  },
  {
    name: 'amount_deviations',
    meaning: "how far the amount is above the customer's usual one, in standard deviations",
    value: ({ facts, customer }) => (facts.payment.amount - customer.usualAmount) / (facts.usual.deviation + 5),
  },
  {
    name: 'amount_times_largest',
    meaning: "the amount as a multiple of the customer's largest honest payment",
    value: ({ facts }) => timesUsual(facts.payment.amount, facts.usual.max),
  },
  { name: 'usual', meaning: 'x', value: ({ customer }) => customer.usualAmount },
  { name: 'countDay', meaning: 'x', value: ({ customer }) => customer.countDay },
  { name: 'countWeek', meaning: 'x', value: ({ customer }) => customer.countWeek },
  { name: 'largeWeek', meaning: 'x', value: ({ customer }) => customer.largeWeek },
  { name: 'largeFortnight', meaning: 'x', value: ({ customer }) => customer.largeFortnight },
  { name: 'largeShareFortnight', meaning: 'x', value: ({ customer }) => customer.largeShareFortnight },
  { name: 'maxRatioFortnight', meaning: 'x', value: ({ customer }) => customer.maxRatioFortnight },
  { name: 'newestLargeAge', meaning: 'x', value: ({ customer }) => customer.newestLargeAge },
  { name: 'oldestLargeAge', meaning: 'x', value: ({ customer }) => customer.oldestLargeAge },
  { name: 'c_knownFrauds', meaning: 'x', value: ({ customer }) => customer.knownFrauds },
  ...(['knownFrauds', 'ordinaryFrauds', 'ordinaryShareWeek', 'ordinaryShareFortnight', 'ordinaryShareMonth', 'newestAge', 'oldestAge', 'cleanSince', 'cleanBetween'] as const)
    .map((name) => ({ name: `p_${name}`, meaning: 'x', value: ({ point }: Parts) => point[name] })),
];

export const FEATURE_NAMES: readonly string[] = FEATURES.map(({ name }) => name);

/** The figures that the model sees of a payment, in the order of FEATURES. */
export function featuresOf(facts: PaymentFacts): Float64Array {
  const parts = { facts, customer: customerRecord(facts), point: pointRecord(facts) };
  return Float64Array.from(FEATURES, ({ value }) => value(parts));
}
