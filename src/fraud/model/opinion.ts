import type { ExtraScore } from '../rules/evaluate';
import type { PaymentFacts } from './facts';
import { FEATURES, featuresOf } from './features';
import { type FraudModel, score } from './model';

/** A stored model as the operator has put it in force. */
export interface ModelInForce {
  version: number;
  mode: 'advisory' | 'active';
  /** From which probability on its score is added, while it is active. */
  reviewFrom: number;
  score: number;
  model: FraudModel;
}

/** What a model says of a payment, as an assessment keeps it. */
export interface ModelOpinion {
  version: number;
  mode: ModelInForce['mode'];
  /** Four decimals; what is decided from it is decided from these. */
  probability: number;
  /** What weighs most, for or against, the gravest first. */
  contributions: { feature: string; meaning: string; value: number; log_odds: number }[];
}

const SHOWN = 5;
const rounded = (figure: number) => Math.round(figure * 10_000) / 10_000;

/** Scores a payment and says why. */
export function opinionOf({ version, mode, model }: ModelInForce, facts: PaymentFacts): ModelOpinion {
  const vector = featuresOf(facts);
  const { probability, contributions } = score(model, vector);
  const gravest = [...contributions.keys()].sort((a, b) => Math.abs(contributions[b]) - Math.abs(contributions[a])).slice(0, SHOWN);
  return {
    version, mode, probability: rounded(probability),
    contributions: gravest.map((at) => {
      const { name, meaning } = FEATURES[at];
      return { feature: name, meaning, value: rounded(vector[at]), log_odds: rounded(contributions[at]) };
    }),
  };
}

/** What an active model adds to the score of the rules, and what people are told of it. Nothing below its threshold, nor as an adviser. */
export function extraOf(inForce: Pick<ModelInForce, 'mode' | 'reviewFrom' | 'score'> | undefined, opinion: ModelOpinion | undefined): ExtraScore | undefined {
  if (!inForce || !opinion || inForce.mode !== 'active' || opinion.probability < inForce.reviewFrom) return undefined;
  // Rounded down, so that nothing is ever said to be certain.
  const percent = Math.min(99, Math.floor(opinion.probability * 100));
  const cause = opinion.contributions.find(({ log_odds: logOdds }) => logOdds > 0);
  return { score: inForce.score, reason: `the learned model sees a fraud probability of ${percent} %${cause ? `: ${cause.meaning}` : ''}` };
}
