import { trainedModel } from '../../../test/support/trained-model';
import { extraOf, type ModelInForce, opinionOf } from './opinion';
import { factsOf } from './stored-facts';
import { bias } from './model';

const { model } = trainedModel().result;
const inForce = (change: Partial<ModelInForce> = {}): ModelInForce => ({ version: 3, mode: 'active', reviewFrom: 0.5, score: 0.4, model, ...change });
const factsOfAmount = (amountMinor: bigint) => factsOf({ at: new Date(), amountMinor, currency: 'USD' }, { recent: [], days: [] });

describe('the opinion of a learned model', () => {
  it('is a probability with what weighs most, the gravest first', () => {
    const opinion = opinionOf(inForce(), factsOfAmount(25_100n));
    expect(opinion).toMatchObject({ version: 3, mode: 'active' });
    expect(opinion.probability).toBeGreaterThan(0.5);
    expect(opinion.contributions).toHaveLength(5);
    const weights = opinion.contributions.map(({ log_odds: odds }) => Math.abs(odds));
    expect(weights).toEqual([...weights].sort((a, b) => b - a));
    expect(opinion.contributions).toContainEqual({ feature: 'amount', meaning: 'the amount', value: 251, log_odds: expect.any(Number) });
    expect(1 / (1 + Math.exp(-bias(model)))).toBeLessThan(opinion.probability);
  });

  it('adds to the score only while it is active and sure enough', () => {
    const large = opinionOf(inForce(), factsOfAmount(25_100n));
    const small = opinionOf(inForce(), factsOfAmount(2_000n));
    expect(extraOf(inForce(), large)).toEqual({ score: 0.4, reason: expect.stringMatching(/^the learned model sees a fraud probability of \d\d %: the amount/) });
    expect(extraOf(inForce({ reviewFrom: large.probability }), large)?.score).toBe(0.4);
    expect(extraOf(inForce(), small)).toBeUndefined();
    expect(extraOf(inForce({ mode: 'advisory' }), large)).toBeUndefined();
    expect([extraOf(undefined, large), extraOf(inForce(), undefined)]).toEqual([undefined, undefined]);
  });

  it('is never said to be certain, and needs no cause to speak', () => {
    const opinion = { version: 1, mode: 'active', probability: 1, contributions: [] } as const;
    expect(extraOf(inForce(), { ...opinion, contributions: [] })?.reason).toBe('the learned model sees a fraud probability of 99 %');
  });
});
