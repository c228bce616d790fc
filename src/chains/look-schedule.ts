const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How often an address is looked at while its payment is open, or money on its way to it is not final yet. */
const OPEN_EVERY_MS = 5 * SECOND_MS;

/** How often it is looked at afterwards, by how long ago its payment was closed: people pay late, twice, and to addresses they saved. */
const CLOSED: readonly { untilMs: number; everyMs: number }[] = [
  { untilMs: HOUR_MS, everyMs: MINUTE_MS },
  { untilMs: DAY_MS, everyMs: 10 * MINUTE_MS },
  { untilMs: 7 * DAY_MS, everyMs: HOUR_MS },
  { untilMs: 90 * DAY_MS, everyMs: DAY_MS },
];

/** How long after a look that could not be completed. */
export const RETRY_MS = 10 * SECOND_MS;

/**
 * How long to wait before an address is looked at again.
 * @param closedForMs since its payment was closed; undefined while it is open
 * @returns undefined when nobody has to look any more
 */
export function nextLookInMs(closedForMs: number | undefined): number | undefined {
  if (closedForMs === undefined) return OPEN_EVERY_MS;
  return CLOSED.find(({ untilMs }) => closedForMs < untilMs)?.everyMs;
}
