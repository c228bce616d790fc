import type { Windowed } from './sightings';

/** A running counter as running_counter answers it; see there. */
export type RunningCounter = readonly [m10: number, h1: number, h24: number, d30: number, seconds: number, small: number];

/** Payments that no row has yet, and the small ones among them. */
export interface Count {
  readonly all: number;
  readonly small: number;
}

export const NONE: Count = { all: 0, small: 0 };
const LONGEST_S = 30 * 86_400;

/** How often in each window, with those that no row has yet; null where there was nothing in any. */
export function windowedBy(counter: RunningCounter | null, { all }: Count): Windowed | null {
  if (!counter) return all === 0 ? null : [all, all, all, all, 0];
  return all + counter[3] === 0 ? null : [all + counter[0], all + counter[1], all + counter[2], all + counter[3], Math.min(counter[4], LONGEST_S)];
}

/** The small ones of the last hour, with those that no row has yet. */
export function smallBy(counter: RunningCounter | null, { small }: Count): number {
  return small + (counter?.[5] ?? 0);
}
