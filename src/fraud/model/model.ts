import { z } from 'zod';
import { addPath, leafValue, type Tree } from './tree';

const tree = z
  .object({
    feature: z.array(z.int().min(-1)),
    threshold: z.array(z.number()),
    left: z.array(z.int().min(0)),
    right: z.array(z.int().min(0)),
    value: z.array(z.number()),
  })
  .refine(isTree, 'Expected the arrays of a tree to be equally long, and every branch to lead on.');

/** A trained model as it is stored: the base and all leaf values that a payment reaches add up to its log-odds of fraud. */
const modelObject = z.object({
  kind: z.literal('boosted_trees'),
  featureNames: z.array(z.string()).min(1),
  baseScore: z.number(),
  /** No payment is told safer than this: some frauds nobody could have foreseen. */
  leastProbability: z.number().min(0).max(1),
  trees: z.array(tree),
});
export type FraudModel = z.output<typeof modelObject>;

/** What a model says of one payment. */
export interface Score {
  /** What the log-odds amount to, but at least the model's least probability. */
  probability: number;
  /** By feature, in log-odds. Together with the model's bias they are exactly the payment's log-odds. */
  contributions: Float64Array;
}

/** Branches only lead to nodes further on, so that every way ends. */
function isTree({ feature, threshold, left, right, value }: Tree): boolean {
  const size = feature.length;
  const isWhole = size > 0 && [threshold, left, right, value].every(({ length }) => length === size);
  const leadsOn = (to: number, at: number) => to > at && to < size;
  return isWhole && feature.every((one, at) => one < 0 || (leadsOn(left[at], at) && leadsOn(right[at], at)));
}

/** Reads a stored model. Throws when it is none, or when it was trained on other features than these. */
export function parseModel(json: string, featureNames: readonly string[]): FraudModel {
  const model = modelObject.parse(JSON.parse(json));
  if (model.featureNames.join() !== featureNames.join()) throw new Error('The model was trained on other features.');
  const highest = model.trees.reduce((max, { feature }) => feature.reduce((a, b) => Math.max(a, b), max), -1);
  if (highest >= featureNames.length) throw new Error('The model uses a feature that it does not name.');
  return model;
}

/** The log-odds of fraud of a vector of features, without saying why. */
export function logOdds({ baseScore, trees }: FraudModel, vector: ArrayLike<number>): number {
  return trees.reduce((sum, tree) => sum + leafValue(tree, vector), baseScore);
}

/** What a payment of which nothing is known yet would get: where the contributions start from. */
export function bias({ baseScore, trees }: FraudModel): number {
  return trees.reduce((sum, { value }) => sum + value[0], baseScore);
}

/** How likely a payment is a fraud, and what each feature adds to it or takes from it. */
export function score(model: FraudModel, vector: ArrayLike<number>): Score {
  const contributions = new Float64Array(model.featureNames.length);
  let sum = model.baseScore;
  for (const one of model.trees) sum += addPath(one, vector, contributions);
  sum = contributions.reduce((total, contribution) => total + contribution, sum);
  return { probability: probabilityOf(model, sum), contributions };
}

/** The probability that log-odds stand for, at least the model's least. */
export function probabilityOf({ leastProbability }: FraudModel, logOdds: number): number {
  return Math.max(leastProbability, 1 / (1 + Math.exp(-logOdds)));
}
