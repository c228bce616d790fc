import { DAY_MS } from './facts';
import { featuresOf, FEATURES } from './features';
import { History, type LabelledPayment } from './history';
import { randomOf } from './random';

const START = Date.parse('2018-04-01T00:00:00Z');
const DELAY_MS = 7 * DAY_MS;

function payment(days: number, change: Partial<LabelledPayment> = {}): LabelledPayment {
  return { at: START + days * DAY_MS, customer: 'c1', terminal: 't1', amount: 20, isFraud: false, ...change };
}

/** Sixty days of two customers at two acceptance points, a quarter of it frauds. */
function someDays(): LabelledPayment[] {
  const random = randomOf(5);
  return Array.from({ length: 400 }, (_, at) => payment(at * 0.15, {
    customer: random() < 0.5 ? 'c1' : 'c2',
    terminal: random() < 0.5 ? 't1' : 't2',
    amount: Math.round(random() * 100),
    isFraud: random() < 0.25,
  }));
}

/** The features of every row, each told just before the row became the past. */
function replay(rows: readonly LabelledPayment[]): number[][] {
  const history = new History(DELAY_MS);
  return rows.map((row) => {
    const features = [...featuresOf(history.factsOf(row))];
    history.add(row);
    return features;
  });
}

function factsAfter(rows: readonly LabelledPayment[], next: LabelledPayment) {
  const history = new History(DELAY_MS);
  for (const row of rows) history.add(row);
  return history.factsOf(next);
}

describe('what is known at a payment', () => {
  const rows = someDays();
  const features = replay(rows);
  const CHANGED = 250;

  it('does not depend on anything later', () => {
    const other = { customer: 'c1', terminal: 't1', amount: 9999, isFraud: true };
    const otherFuture = rows.map((row, at) => (at < CHANGED ? row : { ...row, ...other }));
    // The payment itself is seen, but not its outcome.
    otherFuture[CHANGED] = { ...rows[CHANGED], isFraud: !rows[CHANGED].isFraud };
    expect(replay(otherFuture).slice(0, CHANGED + 1)).toEqual(features.slice(0, CHANGED + 1));
  });

  it('does not depend on outcomes of the last seven days, and depends on older ones', () => {
    const turned = rows.map((row, at) => (at === CHANGED ? { ...row, isFraud: !row.isFraud } : row));
    const firstKnown = rows.findIndex(({ at }) => at >= rows[CHANGED].at + DELAY_MS);
    const changed = replay(turned);
    expect(changed.slice(0, firstKnown)).toEqual(features.slice(0, firstKnown));
    expect(changed.slice(firstKnown)).not.toEqual(features.slice(firstKnown));
  });

  it('learns an outcome exactly seven days after its payment', () => {
    const fraud = payment(0, { isFraud: true });
    const marks = (days: number) => factsAfter([fraud], payment(days)).recent.map(({ isKnownFraud }) => isKnownFraud);
    expect([marks(7 - 1e-6), marks(7)]).toEqual([[false], [true]]);
  });

  it('keeps 30 days of a customer, and the newest 200 payments', () => {
    const burst = Array.from({ length: 500 }, (_, at) => payment(1 + at / 1000, { amount: at }));
    const { recent } = factsAfter([payment(0), ...burst], payment(2));
    expect([recent.length, recent[0].amount, recent.at(-1)?.amount]).toEqual([200, 300, 499]);
    expect(factsAfter([payment(0), payment(1)], payment(30.5)).recent).toHaveLength(1);
  });

  it('takes as usual only what is past doubt', () => {
    const fraud = payment(0.1, { amount: 500, isFraud: true });
    const rows = [payment(0, { amount: 10 }), fraud, payment(0.2, { amount: 30 }), payment(5, { amount: 99 })];
    expect(factsAfter(rows, payment(8)).usual).toEqual({ count: 2, mean: 20, deviation: 10, max: 30 });
    expect(factsAfter(rows, payment(6)).usual.count).toBe(0);
  });

  it('tells a fraud with an ordinary amount from one with a large one, by day of the payment', () => {
    const past = [0, 1, 2, 3].map((days) => payment(days, { terminal: 't0' }));
    const frauds = [payment(12, { isFraud: true }), payment(12.1, { isFraud: true, amount: 400 }), payment(12.2)];
    expect(factsAfter([...past, ...frauds], payment(20)).days).toEqual([
      { day: START / DAY_MS + 12, payments: 3, knownFrauds: 2, ordinaryFrauds: 1 },
    ]);
  });

  it('is a finite figure for every feature, also of a stranger', () => {
    expect(features.flat().every(Number.isFinite)).toBe(true);
    expect([...featuresOf(new History(DELAY_MS).factsOf(payment(0)))].every(Number.isFinite)).toBe(true);
    expect(new Set(FEATURES.map(({ name }) => name)).size).toBe(FEATURES.length);
  });
});
