/** One class of limit: so many requests in a sliding window, counted by key (times its tier) or by address. */
export interface Limit {
  limit: number;
  windowMs: number;
  countedBy: 'key' | 'ip';
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Every limit of the gateway, in one readable table. `key` is the shared budget of an API key; the others are budgets of their
 * own, so that guessing at one door does not close another.
 */
export const LIMITS = {
  key: { limit: 1000, windowMs: MINUTE_MS, countedBy: 'key' },
  key_generation: { limit: 5, windowMs: HOUR_MS, countedBy: 'key' },
  client_edit: { limit: 30, windowMs: MINUTE_MS, countedBy: 'key' },
  anonymous: { limit: 100, windowMs: MINUTE_MS, countedBy: 'ip' },
  webhook: { limit: 1000, windowMs: MINUTE_MS, countedBy: 'ip' },
  health: { limit: 100, windowMs: MINUTE_MS, countedBy: 'ip' },
} as const satisfies Record<string, Limit>;

export type LimitClass = keyof typeof LIMITS;
