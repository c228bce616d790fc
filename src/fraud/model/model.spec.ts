import { boost, type BoostOptions } from './boost';
import { FEATURE_NAMES } from './features';
import { aucRoc } from './metrics';
import { bias, type FraudModel, logOdds, parseModel, score } from './model';
import { randomOf } from './random';
import { train } from './training';

const random = randomOf(11);
/** A fraud is what is high in the first two figures at once; the third says nothing. */
const ROWS = Array.from({ length: 3000 }, () => [random() * 10, random() * 10, random()]);
const isFraud = ([a, b]: readonly number[]) => a > 7 && b > 7;
const LABELS = Uint8Array.from(ROWS, (row) => Number(isFraud(row)));
const COLUMNS = [0, 1, 2].map((at) => Float64Array.from(ROWS, (row) => row[at]));
const OPTIONS: BoostOptions = {
  runs: 2, rounds: 15, shrinkage: 0.3, rowShare: 0.8, featureShare: 0.7, maxBins: 64, depth: 3,
  minHessian: 1, lambda: 1, minGain: 0, directions: [0, 0, 0],
};

function learn(change: Partial<BoostOptions> = {}, seed = 1): FraudModel {
  const learned = boost(COLUMNS, LABELS, { ...OPTIONS, ...change }, seed);
  return { kind: 'boosted_trees', featureNames: ['a', 'b', 'c'], leastProbability: 0, ...learned };
}
const model = learn();
const fresh = Array.from({ length: 1000 }, () => [random() * 10, random() * 10, random()]);

describe('boosted trees', () => {
  it('learn a pattern that no single figure shows', () => {
    const scored = fresh.map((row) => ({ score: logOdds(model, row), isFraud: isFraud(row) }));
    expect(aucRoc(scored)).toBeGreaterThan(0.99);
    expect(score(model, [9, 9, 0.5]).probability).toBeGreaterThan(0.8);
    expect(score(model, [9, 1, 0.5]).probability).toBeLessThan(0.05);
  });

  it('say about as many frauds as there are', () => {
    const expected = ROWS.reduce((sum, row) => sum + score(model, row).probability, 0);
    const frauds = LABELS.reduce((sum, label) => sum + label, 0);
    expect(expected / frauds).toBeGreaterThan(0.85);
    expect(expected / frauds).toBeLessThan(1.15);
  });

  it('are the same for a seed, and others for another', () => {
    expect(JSON.stringify(learn())).toBe(JSON.stringify(model));
    expect(JSON.stringify(learn({}, 2))).not.toBe(JSON.stringify(model));
  });

  it('never turn a feature against its direction', () => {
    const against = learn({ directions: [1, -1, 0] });
    for (const [a, b, c] of fresh.slice(0, 200)) {
      const here = logOdds(against, [a, b, c]);
      expect(logOdds(against, [a + 2, b, c])).toBeGreaterThanOrEqual(here - 1e-9);
      expect(logOdds(against, [a, b + 2, c])).toBeLessThanOrEqual(here + 1e-9);
    }
  });

  it('have nothing to say where all rows are alike', () => {
    const labels = Uint8Array.from({ length: 50 }, (_, at) => at % 2);
    const alike = boost([new Float64Array(50).fill(3)], labels, { ...OPTIONS, directions: [0] }, 1);
    expect(alike.trees.every(({ feature }) => feature[0] === -1)).toBe(true);
  });
});

describe('a score', () => {
  it('is the sum of what the features contribute, and of the bias', () => {
    for (const row of fresh.slice(0, 100)) {
      const { contributions, probability } = score(model, row);
      const sum = contributions.reduce((a, b) => a + b, bias(model));
      expect(sum).toBeCloseTo(logOdds(model, row), 9);
      expect(probability).toBeCloseTo(1 / (1 + Math.exp(-sum)), 9);
    }
  });

  it('is never told safer than the model\'s least probability, and else as it is', () => {
    const careful = { ...model, leastProbability: 0.1 };
    expect(score(careful, [1, 1, 0.5])).toEqual({ ...score(model, [1, 1, 0.5]), probability: 0.1 });
    expect(score(careful, [9, 9, 0.5])).toEqual(score(model, [9, 9, 0.5]));
  });

  it('names what made the difference', () => {
    const [a, b, c] = score(model, [9, 9, 0.5]).contributions;
    expect(Math.min(a, b)).toBeGreaterThan(1);
    expect(Math.abs(c)).toBeLessThan(0.5);
  });
});

describe('a stored model', () => {
  it('says the same after it was read', () => {
    const read = parseModel(JSON.stringify(model), ['a', 'b', 'c']);
    expect(fresh.map((row) => logOdds(read, row))).toEqual(fresh.map((row) => logOdds(model, row)));
  });

  const loop = { feature: [0, -1], threshold: [1, 0], left: [0, 0], right: [1, 0], value: [0, 1] };
  const torn = { feature: [-1], threshold: [], left: [0], right: [0], value: [0] };
  const strange = { feature: [7, -1, -1], threshold: [1, 0, 0], left: [1, 0, 0], right: [2, 0, 0], value: [0, 1, 2] };

  it.each<[string, unknown]>([
    ['of another kind', { ...model, kind: 'oracle' }],
    ['with a branch that leads back', { ...model, trees: [loop] }],
    ['with arrays of different lengths', { ...model, trees: [torn] }],
    ['with a feature that it does not name', { ...model, trees: [strange] }],
    ['of other features', { ...model, featureNames: ['a', 'b', 'x'] }],
  ])('is refused %s', (_, stored) => {
    expect(() => parseModel(JSON.stringify(stored), ['a', 'b', 'c'])).toThrow();
  });
});

it('is trained on the features that payments have', () => {
  const vectors = ROWS.slice(0, 600).map((row) => Float64Array.from(FEATURE_NAMES, (_, at) => row[at % 2]));
  const trained = train({ vectors, labels: ROWS.slice(0, 600).map(isFraud) }, 3);
  expect(parseModel(JSON.stringify(trained), FEATURE_NAMES).featureNames).toEqual(FEATURE_NAMES);
  expect(trained.leastProbability).toBeCloseTo(ROWS.slice(0, 600).filter(isFraud).length / 600 / 4, 12);
  expect(logOdds(trained, vectors[LABELS.indexOf(1)])).toBeGreaterThan(bias(trained));
});
