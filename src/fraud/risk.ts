import { z } from 'zod';

/** How risky something looks, as the API shows it. */
export const riskObject = z.object({
  score: z.number().min(0).max(1).meta({ description: 'From 0 to 1, two decimals.' }),
  decision: z.enum(['allow', 'review', 'block']).meta({ description: 'As the operator has set it: by default people look at it from 0.5 on, and it is stopped from 0.8 on.' }),
  reasons: z.array(z.string()).meta({ examples: [['no deposit in the last 7 days', 'destination is 2 hours old']] }),
});
export type Risk = z.output<typeof riskObject>;

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
