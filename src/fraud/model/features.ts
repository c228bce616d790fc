import { DAY_MS, dayOf, type DayTally, LABEL_DELAY_DAYS, type PaymentFacts } from './facts';

/** What the features are made of, each part worked out once per payment. */
interface Parts {
  facts: PaymentFacts;
  /** What the customer usually pays: the mean of the payments past doubt, else of the recent ones, else this amount. */
  usualAmount: number;
  point: PointParts;
}

/** What the known frauds of an acceptance point say. Days count back from the day of the payment. */
interface PointParts {
  today: number;
  days: readonly DayTally[];
  /** Days since the newest and the oldest known fraud; NONE without one. */
  newestFraudAge: number;
  oldestFraudAge: number;
  /** Payments since the newest known fraud whose outcome would be known. */
  cleanSince: number;
  /** The newest payments with a known outcome that were all frauds: how many, and for how many days. */
  streak: number;
  streakAge: number;
  knownFrauds: number;
  meanFraudAmount: number;
}

export interface Feature {
  name: string;
  /** What it means, for people who read why a payment was scored as it was. */
  meaning: string;
  value: (parts: Parts) => number;
}

/** More days than any tally holds. */
const NONE = 99;
/** So many times the usual amount is large for a customer. */
const LARGE = 2.5;

function countSince({ facts }: Parts, days: number): number {
  const from = facts.payment.at - days * DAY_MS;
  return facts.recent.reduce((sum, { at }) => sum + (at >= from ? 1 : 0), 0);
}

function largeSince({ facts, usualAmount }: Parts, days: number, times: number): number {
  const from = facts.payment.at - days * DAY_MS;
  return facts.recent.reduce((sum, { at, amount }) => sum + (at >= from && amount > times * usualAmount ? 1 : 0), 0);
}

function maxSince({ facts, usualAmount }: Parts, days: number): number {
  const from = facts.payment.at - days * DAY_MS;
  return facts.recent.reduce((max, { at, amount }) => (at >= from ? Math.max(max, amount) : max), 0) / (usualAmount + 1);
}

function meanSince({ facts, usualAmount }: Parts, days: number): number {
  const from = facts.payment.at - days * DAY_MS;
  const amounts = facts.recent.filter(({ at }) => at >= from).map(({ amount }) => amount);
  return amounts.length === 0 ? 1 : amounts.reduce((a, b) => a + b, 0) / amounts.length / (usualAmount + 1);
}

function largeAge({ facts, usualAmount }: Parts, which: 'first' | 'last'): number {
  const from = facts.payment.at - 21 * DAY_MS;
  const large = facts.recent.filter(({ at, amount }) => at >= from && amount > LARGE * usualAmount);
  if (large.length === 0) return NONE;
  return (facts.payment.at - (which === 'first' ? large[0] : large[large.length - 1]).at) / DAY_MS;
}

function pointSum({ point }: Parts, days: number, of: 'payments' | 'knownFrauds'): number {
  const last = point.today - LABEL_DELAY_DAYS;
  return point.days.reduce((sum, tally) => sum + (tally.day <= last && tally.day > last - days ? tally[of] : 0), 0);
}

const fraudShare = (parts: Parts, days: number) => pointSum(parts, days, 'knownFrauds') / Math.max(1, pointSum(parts, days, 'payments'));

export const FEATURES: readonly Feature[] = [
  { name: 'amount', meaning: 'the amount', value: ({ facts }) => facts.payment.amount },
  { name: 'amount_ratio', meaning: 'x', value: ({ facts, usualAmount }) => facts.payment.amount / (usualAmount + 1) },
  { name: 'amount_z', meaning: 'x', value: ({ facts, usualAmount }) => (facts.payment.amount - usualAmount) / (facts.usual.deviation + 5) },
  { name: 'amount_max', meaning: 'x', value: ({ facts }) => facts.payment.amount / (facts.usual.max + 1) },
  { name: 'usual', meaning: 'x', value: ({ usualAmount }) => usualAmount },
  ...[1, 7, 30].map((days) => ({ name: `count_${days}d`, meaning: 'x', value: (parts: Parts) => countSince(parts, days) })),
  ...[1, 7, 30].map((days) => ({ name: `mean_${days}d`, meaning: 'x', value: (parts: Parts) => meanSince(parts, days) })),
  ...[3, 7, 14].map((days) => ({ name: `large_${days}d`, meaning: 'x', value: (parts: Parts) => largeSince(parts, days, LARGE) })),
  ...[7, 14].map((days) => ({ name: `vlarge_${days}d`, meaning: 'x', value: (parts: Parts) => largeSince(parts, days, 3.5) })),
  ...[3, 14].map((days) => ({ name: `max_${days}d`, meaning: 'x', value: (parts: Parts) => maxSince(parts, days) })),
  { name: 'large_first', meaning: 'x', value: (parts) => largeAge(parts, 'first') },
  { name: 'large_last', meaning: 'x', value: (parts) => largeAge(parts, 'last') },
  { name: 'c_known', meaning: 'x', value: ({ facts }) => facts.recent.reduce((sum, { isKnownFraud }) => sum + (isKnownFraud ? 1 : 0), 0) },
  ...[1, 7, 14, 30].map((days) => ({ name: `t_share_${days}d`, meaning: 'x', value: (parts: Parts) => fraudShare(parts, days) })),
  ...[7, 14, 30].map((days) => ({ name: `t_frauds_${days}d`, meaning: 'x', value: (parts: Parts) => pointSum(parts, days, 'knownFrauds') })),
  { name: 't_count_7d', meaning: 'x', value: (parts) => pointSum(parts, 7, 'payments') },
  { name: 't_newest', meaning: 'x', value: ({ point }) => point.newestFraudAge },
  { name: 't_oldest', meaning: 'x', value: ({ point }) => point.oldestFraudAge },
  { name: 't_clean', meaning: 'x', value: ({ point }) => point.cleanSince },
  { name: 't_streak', meaning: 'x', value: ({ point }) => point.streak },
  { name: 't_streak_age', meaning: 'x', value: ({ point }) => point.streakAge },
  { name: 't_fraud_amount', meaning: 'x', value: ({ point }) => point.meanFraudAmount },
];

export const FEATURE_NAMES: readonly string[] = FEATURES.map(({ name }) => name);

/** The figures that the model sees of a payment, in the order of FEATURES. */
export function featuresOf(facts: PaymentFacts): Float64Array {
  const { recent, usual, payment } = facts;
  const recentMean = recent.length > 0 ? recent.reduce((sum, { amount }) => sum + amount, 0) / recent.length : payment.amount;
  const parts = { facts, usualAmount: usual.count >= 3 ? usual.mean : recentMean, point: pointOf(facts) };
  return Float64Array.from(FEATURES, ({ value }) => value(parts));
}

function pointOf({ payment, days }: PaymentFacts): PointParts {
  const today = dayOf(payment.at);
  const withFrauds = days.filter(({ knownFrauds }) => knownFrauds > 0);
  const knownFrauds = withFrauds.reduce((sum, tally) => sum + tally.knownFrauds, 0);
  const newest = withFrauds.at(-1);
  const judged = days.filter(({ day }) => day < today - LABEL_DELAY_DAYS || (newest && day <= newest.day));
  let streak = 0;
  let streakAge = -1;
  for (const { day, payments, knownFrauds: frauds } of [...judged].reverse()) {
    if (frauds > 0) {
      streak += frauds;
      streakAge = today - day;
    }
    if (day < today - LABEL_DELAY_DAYS && frauds < payments) break;
  }
  let cleanSince = 0;
  if (newest) for (const { day, payments, knownFrauds: frauds } of judged) if (day >= newest.day && day < today - LABEL_DELAY_DAYS) cleanSince += payments - frauds;
  return {
    today,
    days,
    newestFraudAge: newest ? today - newest.day : NONE,
    oldestFraudAge: newest ? today - withFrauds[0].day : NONE,
    cleanSince,
    streak,
    streakAge,
    knownFrauds,
    meanFraudAmount: knownFrauds > 0 ? withFrauds.reduce((sum, tally) => sum + tally.knownFraudAmount, 0) / knownFrauds : 0,
  };
}
