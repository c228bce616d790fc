import { boost, type BoostOptions } from './boost';
import { FEATURE_NAMES, FEATURES } from './features';
import type { FraudModel } from './model';

/**
 * Chosen on trainings that start in May 2018 and then left alone; see docs/decisions/0021-learned-model.md. There are some 550 frauds
 * in a week, so trees stay small and what few rows say is damped.
 */
const OPTIONS: BoostOptions = {
  runs: 3,
  rounds: 80,
  shrinkage: 0.1,
  rowShare: 0.7,
  featureShare: 0.5,
  maxBins: 250,
  depth: 4,
  minHessian: 4,
  lambda: 3,
  minGain: 3,
  directions: FEATURES.map(({ direction }) => direction),
};

/**
 * The least probability as a part of the fraud rate of the training. Frauds at a point whose first fraud is not known yet look like any
 * payment, so what separates two unsuspicious payments is chance.
 */
const LEAST_PART = 1 / 4;

/** Vectors of features in the order of time, with what became of them. */
export interface TrainingRows {
  vectors: readonly Float64Array[];
  labels: readonly boolean[];
}

/** Trains the model that is used. The same rows and seed give the same model, figure by figure. */
export function train({ vectors, labels }: TrainingRows, seed: number): FraudModel {
  const columns = FEATURES.map((_, feature) => Float64Array.from(vectors, (vector) => vector[feature]));
  const learned = boost(columns, Uint8Array.from(labels, Number), OPTIONS, seed);
  const fraudRate = labels.filter(Boolean).length / labels.length;
  return { kind: 'boosted_trees', featureNames: [...FEATURE_NAMES], leastProbability: fraudRate * LEAST_PART, ...learned };
}
