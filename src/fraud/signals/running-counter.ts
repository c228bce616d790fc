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
  const [m10, h1, h24, d30, seconds] = counter ?? [0, 0, 0, 0, 0];
  return all + d30 === 0 ? null : [all + m10, all + h1, all + h24, all + d30, Math.min(seconds, LONGEST_S)];
}

/** The small ones of the last hour, with those that no row has yet. */
export function smallBy(counter: RunningCounter | null, { small }: Count): number {
  return small + (counter?.[5] ?? 0);
}
