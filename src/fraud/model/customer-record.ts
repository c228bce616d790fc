import { DAY_MS, LARGE, NEVER, type PaymentFacts, usualAmount } from './facts';

/** What the customer's recent payments look like beside what this customer usually pays. Ages are days before the payment. */
export interface CustomerRecord {
  usualAmount: number;
  /** Payments larger than LARGE times the usual amount, of the last 7 and 14 days; of the latter also their share. */
  largeWeek: number;
  largeFortnight: number;
  largeShareFortnight: number;
  /** The largest of the last 14 days as a multiple of the usual amount. */
  maxRatioFortnight: number;
  /** The newest and the oldest large payment of the last 21 days. */
  newestLargeAge: number;
  oldestLargeAge: number;
  /** Known frauds of the last 30 days. */
  knownFrauds: number;
}

/** Goes once through the recent payments. */
export function customerRecord(facts: PaymentFacts): CustomerRecord {
  const usual = usualAmount(facts);
  const record: CustomerRecord = {
    usualAmount: usual, largeWeek: 0, largeFortnight: 0, largeShareFortnight: 0, maxRatioFortnight: 0,
    newestLargeAge: NEVER, oldestLargeAge: NEVER, knownFrauds: 0,
  };
  let countFortnight = 0;
  for (const { at, amount, isKnownFraud } of facts.recent) {
    const age = (facts.payment.at - at) / DAY_MS;
    const isLarge = amount > LARGE * usual;
    if (isKnownFraud) record.knownFrauds += 1;
    if (age <= 14) countFortnight += 1;
    if (age <= 14) record.maxRatioFortnight = Math.max(record.maxRatioFortnight, timesUsual(amount, usual));
    if (!isLarge || age > 21) continue;
    record.newestLargeAge = age;
    if (record.oldestLargeAge === NEVER) record.oldestLargeAge = age;
    if (age <= 7) record.largeWeek += 1;
    if (age <= 14) record.largeFortnight += 1;
  }
  record.largeShareFortnight = record.largeFortnight / Math.max(1, countFortnight);
  return record;
}

/** An amount as a multiple of the usual one; one unit is added so that the smallest amounts do not make every other look large. */
export function timesUsual(amount: number, usual: number): number {
  return amount / (usual + 1);
}
