import { z } from 'zod';

const REVIEW_FROM = 50;
const BLOCK_FROM = 80;

/** How risky something looks, as the API shows it. */
export const riskObject = z.object({
  score: z.number().min(0).max(1).meta({ description: 'From 0 to 1, two decimals.' }),
  decision: z.enum(['allow', 'review', 'block']).meta({ description: 'From 0.5 on people look at it, from 0.8 on it is stopped.' }),
  reasons: z.array(z.string()).meta({ examples: [['no deposit in the last 7 days', 'destination is 2 hours old']] }),
});
export type Risk = z.output<typeof riskObject>;

/** One signal. Weights are hundredths of the score, so that adding them up is exact. */
export interface RiskRule<Facts> {
  weight: number;
  when: (facts: Facts) => boolean;
  /** For people, with the figure that made the rule fire. */
  reason: (facts: Facts) => string;
}

/**
 * Adds up the rules that fire. Each of them is soft: honest people trip over any of them now and then, so together they ask for a
 * second look and never block. The reasons stand in the order of the rules.
 */
export function assess<Facts>(rules: readonly RiskRule<Facts>[], facts: Facts): Risk {
  const fired = rules.filter(({ when }) => when(facts));
  const sum = fired.reduce((total, { weight }) => total + weight, 0);
  const hundredths = Math.min(sum, BLOCK_FROM - 1);
  return {
    score: hundredths / 100,
    decision: hundredths >= REVIEW_FROM ? 'review' : 'allow',
    reasons: fired.map(({ reason }) => reason(facts)),
  };
}

const UNITS: readonly [seconds: number, name: string][] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

/** A span of time in its largest unit, rounded down: "2 hours". */
export function spanText(seconds: number): string {
  const [size, name] = UNITS.find(([unit]) => seconds >= unit) ?? [1, 'second'];
  return counted(Math.max(0, Math.floor(seconds / size)), name);
}

/** "1 refund", "12 refunds". */
export function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
