import type { Windowed } from './sightings';

/**
 * A row of risk_counters as running_counter answers it: seconds since it began, the minute now and that of its newest payment (both counted
 * from 1970), and how many there were, and how many small ones, in each minute, hour and day back from there.
 */
export type RunningCounter = readonly [
  seconds: number, now: number, upto: number, minutes: readonly number[], small: readonly number[], hours: readonly number[], days: readonly number[],
];

/** Payments that no row has yet, and the small ones among them. */
export interface Count {
  readonly all: number;
  readonly small: number;
}

export const NONE: Count = { all: 0, small: 0 };
const MINUTES_PER_HOUR = 60;
const MINUTES_PER_DAY = 1440;
const LONGEST_S = 30 * 86_400;

/** How often in each window, with those that no row has yet; null where there was nothing in any. */
export function windowedBy(counter: RunningCounter | null, { all }: Count): Windowed | null {
  if (!counter) return all > 0 ? [all, all, all, all, 0] : null;
  const [seconds, , , minutes, , hours, days] = counter;
  const inDays = all + within(counter, days, 30, MINUTES_PER_DAY);
  if (inDays === 0) return null;
  return [
    all + within(counter, minutes, 10), all + within(counter, minutes, 60), all + within(counter, hours, 24, MINUTES_PER_HOUR), inDays,
    Math.min(seconds, LONGEST_S),
  ];
}

/** The small ones of the last hour, with those that no row has yet. */
export function smallBy(counter: RunningCounter | null, { small }: Count): number {
  return small + (counter ? within(counter, counter[4], 60) : 0);
}

/** What the newest `size` buckets hold: of `length` minutes each, of which the newest payment's is the first. */
function within([, now, upto]: RunningCounter, buckets: readonly number[], size: number, length = 1): number {
  const begunSince = Math.floor(now / length) - Math.floor(upto / length);
  return buckets.slice(0, Math.max(size - begunSince, 0)).reduce((sum, count) => sum + count, 0);
}
