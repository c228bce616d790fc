import type { GuardedResponse } from '../../../platform/security/network/guarded-sender';
import type { SendError } from '../../../platform/security/network/send-error';
import { delayAfterFailureMs, parseRetryAfter } from '../retry-schedule';

/** For the whole exchange, from the name to the end of the answer. */
export const TIMEOUT_MS = 15_000;
const GONE = 410;

/** What came of an attempt. */
export interface AttemptResult {
  delivered: boolean;
  /** The receiver says that it is there no more (410). */
  gone: boolean;
  durationMs: number;
  responseStatus: number | null;
  error: string | null;
  responseExcerpt: string | null;
  /** When to try again after a failure; absent when the attempts are used up. */
  retryInMs?: number;
}

/** What an answer means, as Standard Webhooks has it. `failures`: how many attempts before this one were made and failed. */
export function resultOfAnswer(failures: number, { status, headers, bodyExcerpt, durationMs }: GuardedResponse): AttemptResult {
  const answered = { durationMs, responseStatus: status, responseExcerpt: bodyExcerpt };
  if (status >= 200 && status < 300) return { ...answered, delivered: true, gone: false, error: null };
  const redirect = status >= 300 && status < 400;
  return {
    ...answered,
    delivered: false,
    gone: status === GONE,
    error: redirect
      ? `redirect: The receiver answered ${status}. Redirects are not followed; enter the address that it leads to.`
      : `status: The receiver answered ${status} instead of 2xx.`,
    retryInMs: delayAfterFailureMs(failures + 1, parseRetryAfter(headers['retry-after'], new Date())),
  };
}

/** What an attempt without an answer means. */
export function resultOfSendError(failures: number, { kind, message }: SendError, durationMs: number): AttemptResult {
  return {
    delivered: false,
    gone: false,
    durationMs,
    responseStatus: null,
    error: `${kind}: ${message}`,
    responseExcerpt: null,
    retryInMs: delayAfterFailureMs(failures + 1),
  };
}

/** One word for it: `delivered`, or what the error begins with. */
export function outcomeOf({ delivered, error }: AttemptResult): string {
  return delivered || error === null ? 'delivered' : error.split(':', 1)[0];
}
