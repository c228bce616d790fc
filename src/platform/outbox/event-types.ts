/**
 * Every event that an endpoint can subscribe to, by area. A type, once published, keeps its name and its meaning:
 * merchants' receivers switch on it.
 */
const TYPES_BY_AREA = {
  payment: ['created', 'processing', 'succeeded', 'failed', 'expired', 'canceled', 'exception'],
  refund: ['pending', 'requires_approval', 'succeeded', 'failed'],
  withdrawal: ['pending_review', 'approved', 'processing', 'completed', 'rejected', 'canceled', 'failed'],
  dispute: ['needs_response', 'under_review', 'won', 'lost'],
  subscription: ['pending', 'active', 'past_due', 'expired', 'canceled'],
  destination: ['created'],
  api_key: ['expiring'],
  endpoint: ['disabled'],
} as const satisfies Record<string, readonly string[]>;

/** For example `payment.succeeded`. */
export const EVENT_TYPES: readonly string[] = Object.entries(TYPES_BY_AREA).flatMap(([area, names]) => names.map((name) => `${area}.${name}`));

/** What a merchant asks for to try an endpoint; it goes to that endpoint alone, so nobody subscribes to it. */
export const TEST_EVENT_TYPE = 'webhook.test';

/** Everything that a subscription may name: all events, an area, or one type. The SQL function emit_events reads them the same way. */
export const EVENT_PATTERNS: readonly string[] = ['*', ...Object.keys(TYPES_BY_AREA).map((area) => `${area}.*`), ...EVENT_TYPES];
