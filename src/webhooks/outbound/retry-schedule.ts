const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The wait after the first failure, after the second, and so on: the schedule that Standard Webhooks recommends. */
const DELAYS_MS: readonly number[] = [
  5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
];

/** Up to this much is added at random, so that events that failed together do not come back together. */
const JITTER = 0.1;

/** A receiver may ask for a longer wait, but not for one that would push an event out of sight. */
const MAX_RETRY_AFTER_MS = 24 * HOUR;

/**
 * How long to wait before the next attempt, in milliseconds; undefined when the attempts are used up.
 *
 * @param failures how many attempts have failed so far, 1 after the first
 * @param retryAfterSeconds what the receiver asked for; never comes back earlier, counted up to 24 hours
 */
export function delayAfterFailureMs(failures: number, retryAfterSeconds = 0, random: () => number = Math.random): number | undefined {
  const scheduledMs = DELAYS_MS[failures - 1];
  if (scheduledMs === undefined) {
    return undefined;
  }
  const askedMs = Math.min(retryAfterSeconds * SECOND, MAX_RETRY_AFTER_MS);
  return Math.round(Math.max(scheduledMs, askedMs) * (1 + JITTER * random()));
}

const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads a Retry-After header (RFC 9110 section 10.2.3): a number of seconds, or a date, which is counted from `now` and
 * rounded up. A date that has passed is 0; anything else that cannot be read, the obsolete date forms included, is undefined.
 */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  if (/^\d{1,15}$/.test(header)) {
    return Number(header);
  }
  const at = HTTP_DATE.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / SECOND));
}
