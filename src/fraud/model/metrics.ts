/** A payment of the test with what the model says of it. */
export interface ScoredPayment {
  /** UTC day, counted from 1970. */
  day: number;
  customer: string;
  score: number;
  isFraud: boolean;
}

type Labelled = Pick<ScoredPayment, 'score' | 'isFraud'>;

/** Groups of one score, from the highest to the lowest: how many, and how many of them are frauds. */
function* groupsByScore(scored: readonly Labelled[]): Generator<{ count: number; frauds: number }> {
  const sorted = [...scored].sort((a, b) => b.score - a.score);
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    let frauds = 0;
    while (to < sorted.length && sorted[to].score === sorted[from].score) {
      frauds += sorted[to].isFraud ? 1 : 0;
      to += 1;
    }
    yield { count: to - from, frauds };
    from = to;
  }
}

/**
 * The area under the ROC curve: how likely a fraud scores higher than an honest payment; a tie counts half. NaN when there is only one
 * kind.
 */
export function aucRoc(scored: readonly Labelled[]): number {
  let frauds = 0;
  let honest = 0;
  let won = 0;
  for (const group of groupsByScore(scored)) {
    const honestHere = group.count - group.frauds;
    won += honestHere * (frauds + group.frauds / 2);
    frauds += group.frauds;
    honest += honestHere;
  }
  return won / (frauds * honest);
}

/**
 * Average precision: the precision at each score, weighted by the frauds that the score adds (scikit-learn's definition, without
 * interpolation). NaN without a fraud.
 */
export function averagePrecision(scored: readonly Labelled[]): number {
  let seen = 0;
  let found = 0;
  let sum = 0;
  for (const { count, frauds } of groupsByScore(scored)) {
    seen += count;
    found += frauds;
    sum += frauds * (found / seen);
  }
  return sum / found;
}

/**
 * Card precision: each day the `top` customers with the highest score of a payment are looked at; the share of them that had a fraud that
 * day, averaged over the days. A customer who was found out is left out of the days that follow. (Fraud Detection Handbook, chapter 4.)
 */
export function cardPrecision(scored: readonly ScoredPayment[], top: number): number {
  const found = new Set<string>();
  const days = [...new Set(scored.map(({ day }) => day))].sort((a, b) => a - b);
  let sum = 0;
  for (const day of days) {
    const customers = customersOf(scored.filter((one) => one.day === day && !found.has(one.customer)));
    const caught = customers.slice(0, top).filter(({ isFraud }) => isFraud);
    for (const { customer } of caught) found.add(customer);
    sum += caught.length / top;
  }
  return sum / days.length;
}

/** Each customer once, with the highest score and whether there was any fraud, highest first; ties stand in the order of time. */
function customersOf(scored: readonly ScoredPayment[]): ScoredPayment[] {
  const customers = new Map<string, ScoredPayment>();
  for (const one of scored) {
    const other = customers.get(one.customer);
    customers.set(one.customer, {
      ...one,
      score: Math.max(one.score, other?.score ?? -Infinity),
      isFraud: one.isFraud || (other?.isFraud ?? false),
    });
  }
  return [...customers.values()].sort((a, b) => b.score - a.score);
}
