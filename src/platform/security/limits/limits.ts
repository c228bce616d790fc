/**
 * By whom a class counts. `caller` is the key, or else the person who has signed in, or else the address. `client` is shared by
 * all keys and people of a client, `person` by all sessions of a person; both fall back to the caller where there is none.
 * `subject` is named by whoever counts.
 */
export type CountedBy = 'caller' | 'client' | 'person' | 'ip' | 'subject';

/** One class of limit: so many requests in a sliding window, and by whom they are counted. */
export interface Limit {
  limit: number;
  windowMs: number;
  countedBy: CountedBy;
  /** Grows with the tier of the caller's client. */
  byTier?: true;
  /** Shrinks as the caller's risk rises. */
  adaptive?: true;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Every limit of the gateway, in one readable table. `key` is the shared budget of an API key, and `person` that of a person on
 * the same routes; the others are budgets of their own, so that guessing at one door does not close another.
 */
export const LIMITS = {
  key: { limit: 1000, windowMs: MINUTE_MS, countedBy: 'caller', byTier: true, adaptive: true },
  person: { limit: 300, windowMs: MINUTE_MS, countedBy: 'person', adaptive: true },
  anonymous: { limit: 100, windowMs: MINUTE_MS, countedBy: 'ip', adaptive: true },
  key_generation: { limit: 5, windowMs: HOUR_MS, countedBy: 'client' },
  client_edit: { limit: 30, windowMs: MINUTE_MS, countedBy: 'caller' },
  decision: { limit: 30, windowMs: MINUTE_MS, countedBy: 'person' },
  rates: { limit: 60, windowMs: MINUTE_MS, countedBy: 'caller' },
  status_update: { limit: 30, windowMs: MINUTE_MS, countedBy: 'caller' },
  anomalies: { limit: 100, windowMs: MINUTE_MS, countedBy: 'caller' },
  webhook: { limit: 1000, windowMs: MINUTE_MS, countedBy: 'ip' },
  health: { limit: 100, windowMs: MINUTE_MS, countedBy: 'ip' },
  register: { limit: 3, windowMs: HOUR_MS, countedBy: 'subject' },
  invitation: { limit: 20, windowMs: HOUR_MS, countedBy: 'client' },
  refresh: { limit: 10, windowMs: 10 * MINUTE_MS, countedBy: 'subject' },
  account_mail: { limit: 3, windowMs: HOUR_MS, countedBy: 'subject' },
  password_reset: { limit: 3, windowMs: HOUR_MS, countedBy: 'subject' },
  password_reset_ip: { limit: 10, windowMs: HOUR_MS, countedBy: 'ip' },
} as const satisfies Record<string, Limit>;

export type LimitClass = keyof typeof LIMITS;

/** The classes whose subject the handler names with `RateLimiter.countFor`. */
export type SubjectClass = { [Name in LimitClass]: (typeof LIMITS)[Name]['countedBy'] extends 'subject' ? Name : never }[LimitClass];

/** The classes that a route's policy can name, because the request itself tells who is counted. */
export type RouteLimitClass = Exclude<LimitClass, SubjectClass>;
