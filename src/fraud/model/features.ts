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
  /** 1 when more of it never makes a payment less suspicious, -1 when never more, 0 when the model may find out. */
  direction: -1 | 0 | 1;
  value: (parts: Parts) => number;
}

/** Customers who always pay the same would otherwise make every other amount look far off. */
const LEAST_DEVIATION = 5;

/** All of them, in the order in which a model stores them. */
export const FEATURES: readonly Feature[] = [
  { name: 'amount', meaning: 'the amount', direction: 1, value: ({ facts }) => facts.payment.amount },
  {
    name: 'amount_times_usual',
    meaning: "the amount as a multiple of the customer's usual one",
    direction: 1,
    value: ({ facts, customer }) => timesUsual(facts.payment.amount, customer.usualAmount),
  },
  {
    name: 'amount_deviations',
    meaning: "how far the amount is above the customer's usual one, in standard deviations",
    direction: 1,
    value: ({ facts, customer }) => (facts.payment.amount - customer.usualAmount) / (facts.usual.deviation + LEAST_DEVIATION),
  },
  {
    name: 'amount_times_largest',
    meaning: "the amount as a multiple of the customer's largest honest payment",
    direction: 1,
    value: ({ facts }) => timesUsual(facts.payment.amount, facts.usual.max),
  },
  {
    name: 'large_7d',
    meaning: "the customer's unusually large payments of the last 7 days",
    direction: 1,
    value: ({ customer }) => customer.largeWeek,
  },
  {
    name: 'large_14d',
    meaning: "the customer's unusually large payments of the last 14 days",
    direction: 1,
    value: ({ customer }) => customer.largeFortnight,
  },
  {
    name: 'large_share_14d',
    meaning: "the share of unusually large payments among the customer's of the last 14 days",
    direction: 1,
    value: ({ customer }) => customer.largeShareFortnight,
  },
  {
    name: 'largest_times_usual_14d',
    meaning: "the customer's largest payment of the last 14 days as a multiple of the usual one",
    direction: 1,
    value: ({ customer }) => customer.maxRatioFortnight,
  },
  {
    name: 'newest_large_age',
    meaning: "days since the customer's newest unusually large payment",
    direction: -1,
    value: ({ customer }) => customer.newestLargeAge,
  },
  {
    name: 'oldest_large_age',
    meaning: "days since the customer's oldest unusually large payment of the last 21 days",
    direction: 0,
    value: ({ customer }) => customer.oldestLargeAge,
  },
  {
    name: 'customer_frauds_30d',
    meaning: "the customer's known frauds of the last 30 days",
    direction: 1,
    value: ({ customer }) => customer.knownFrauds,
  },
  { name: 'point_frauds_30d', meaning: 'known frauds at the acceptance point', direction: 1, value: ({ point }) => point.knownFrauds },
  {
    name: 'point_ordinary_frauds_30d',
    meaning: 'known frauds at the acceptance point whose amount was ordinary for the customer',
    direction: 1,
    value: ({ point }) => point.ordinaryFrauds,
  },
  {
    name: 'point_fraud_share_7d',
    meaning: 'the share of such frauds at the acceptance point, over the newest 7 days whose outcomes are known',
    direction: 1,
    value: ({ point }) => point.ordinaryShareWeek,
  },
  {
    name: 'point_fraud_share_14d',
    meaning: 'the same share over 14 days',
    direction: 1,
    value: ({ point }) => point.ordinaryShareFortnight,
  },
  { name: 'point_fraud_share_30d', meaning: 'the same share over 30 days', direction: 1, value: ({ point }) => point.ordinaryShareMonth },
  {
    name: 'point_newest_fraud_age',
    meaning: 'days since the newest such fraud at the acceptance point',
    direction: -1,
    value: ({ point }) => point.newestAge,
  },
  {
    name: 'point_oldest_fraud_age',
    meaning: 'days since the oldest such fraud at the acceptance point',
    direction: 0,
    value: ({ point }) => point.oldestAge,
  },
  {
    name: 'point_clean_since',
    meaning: 'honest payments at the acceptance point since the newest such fraud',
    direction: -1,
    value: ({ point }) => point.cleanSince,
  },
  {
    name: 'point_clean_between',
    meaning: 'honest payments at the acceptance point between its oldest and its newest such fraud',
    direction: -1,
    value: ({ point }) => point.cleanBetween,
  },
];

export const FEATURE_NAMES: readonly string[] = FEATURES.map(({ name }) => name);

/** The figures that the model sees of a payment, in the order of FEATURES. */
export function featuresOf(facts: PaymentFacts): Float64Array {
  const parts = { facts, customer: customerRecord(facts), point: pointRecord(facts) };
  return Float64Array.from(FEATURES, ({ value }) => value(parts));
}
