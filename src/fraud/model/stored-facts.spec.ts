import { DAY_MS } from './facts';
import { featuresOf, FEATURE_NAMES } from './features';
import { History } from './history';
import { factsOf, type StoredFacts } from './stored-facts';

const AT = new Date('2026-03-31T12:00:00.000Z');
const ago = (days: number) => AT.getTime() - days * DAY_MS;
const asked = { at: AT, amountMinor: 12_345n, currency: 'USD' } as const;
const NOTHING: StoredFacts = { recent: [], days: [] };

describe('what the database knows, as the model sees it,', () => {
  it('is in units of the currency', () => {
    expect(factsOf(asked, NOTHING).payment).toEqual({ at: AT.getTime(), amount: 123.45 });
    expect(factsOf({ ...asked, amountMinor: 12_345n, currency: 'JPY' }, { ...NOTHING, recent: [[ago(1), '500', false]] })).toMatchObject({
      payment: { amount: 12_345 }, recent: [{ at: ago(1), amount: 500, isKnownFraud: false }],
    });
  });

  it('takes as usual only what is past doubt: seven days old and no known fraud', () => {
    const recent: StoredFacts['recent'] = [
      [ago(20), '1000', false], [ago(10), '90000', true], [ago(7), '3000', false], [ago(7) + 1, '7000', false], [ago(1), '9000', true],
    ];
    const facts = factsOf(asked, { recent, days: [] });
    expect(facts.usual).toEqual({ count: 2, mean: 20, deviation: 10, max: 30 });
    expect(facts.recent.map(({ isKnownFraud }) => isKnownFraud)).toEqual([false, true, false, false, true]);
  });

  it('names the days of the client', () => {
    expect(factsOf(asked, { ...NOTHING, days: [[20_500, 9, 3, 1]] }).days).toEqual([{ day: 20_500, payments: 9, knownFrauds: 3, ordinaryFrauds: 1 }]);
  });

  it('gives a stranger finite figures', () => {
    expect([...featuresOf(factsOf(asked, NOTHING))].every(Number.isFinite)).toBe(true);
  });

  it('gives the figures that the training has replayed from the same payments', () => {
    const history = new History(7 * DAY_MS);
    const past = Array.from({ length: 25 }, (_, at) => ({ at: ago(29 - at), amount: 10 + (at % 5) * 3, isFraud: at === 8 || at === 15 }));
    for (const { at, amount, isFraud } of past) history.add({ at, amount, isFraud, customer: 'c', terminal: 't' });
    const replayed = history.factsOf({ at: AT.getTime(), amount: 123.45, customer: 'c', terminal: 't' });
    const stored = factsOf(asked, {
      recent: replayed.recent.map(({ at, amount, isKnownFraud }) => [at, String(Math.round(amount * 100)), isKnownFraud]),
      days: replayed.days.map(({ day, payments, knownFrauds, ordinaryFrauds }) => [day, payments, knownFrauds, ordinaryFrauds]),
    });
    const [seen, expected] = [featuresOf(stored), featuresOf(replayed)];
    FEATURE_NAMES.forEach((name, at) => expect([name, seen[at]]).toEqual([name, expect.closeTo(expected[at], 9)]));
    expect(seen[FEATURE_NAMES.indexOf('customer_frauds_30d')]).toBe(2);
  });
});
