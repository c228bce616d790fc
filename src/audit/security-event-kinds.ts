import type { Problem, ProblemCode } from '../platform/http/problem';
import type { Severity } from '../platform/security/security-events';

/**
 * Which refusals the security log keeps, under which name and how grave they are. What is not named here is an honest mistake
 * of a caller (a missing field, an object that does not exist) and belongs to the access log only.
 */
export const REFUSALS_KEPT: Readonly<Record<string, { kind: string; severity: Severity }>> = {
  unauthenticated: { kind: 'authentication.refused', severity: 'medium' },
  signature_invalid: { kind: 'signature.invalid', severity: 'high' },
  signature_expired: { kind: 'signature.expired', severity: 'medium' },
  scope_missing: { kind: 'scope.missing', severity: 'low' },
  forbidden: { kind: 'access.forbidden', severity: 'medium' },
  client_inactive: { kind: 'client.inactive', severity: 'medium' },
  ip_not_allowed: { kind: 'ip.not_allowed', severity: 'high' },
  api_version_disabled: { kind: 'api_version.disabled', severity: 'medium' },
  card_number_present: { kind: 'pci.card_number', severity: 'high' },
  rate_limited: { kind: 'rate_limit.exceeded', severity: 'low' },
  idempotency_mismatch: { kind: 'idempotency.mismatch', severity: 'low' },
  payload_too_large: { kind: 'payload.too_large', severity: 'low' },
  url_not_allowed: { kind: 'url.not_allowed', severity: 'high' },
  event_conflict: { kind: 'webhook.event_conflict', severity: 'critical' },
  webhook_unknown_source: { kind: 'webhook.unknown_source', severity: 'low' },
  webhook_too_large: { kind: 'webhook.too_large', severity: 'low' },
  webhook_ip_not_allowed: { kind: 'webhook.ip_not_allowed', severity: 'high' },
  webhook_signature_missing: { kind: 'webhook.signature_missing', severity: 'medium' },
  webhook_signature_malformed: { kind: 'webhook.signature_malformed', severity: 'medium' },
  webhook_signature_mismatch: { kind: 'webhook.signature_mismatch', severity: 'high' },
  webhook_timestamp_out_of_window: { kind: 'webhook.timestamp_out_of_window', severity: 'medium' },
  webhook_malformed: { kind: 'webhook.malformed', severity: 'medium' },
};

/** The kind of an answer that failed by a fault of ours or of a provider; its source is the route. */
export const API_ERROR = 'api.error';
export const API_ERROR_SEVERITY: Severity = 'medium';
/** Answers of 500 and more that say what they are meant to say: people paused it, and a load balancer is told to wait. */
const NO_ERRORS: ReadonlySet<ProblemCode> = new Set(['paused', 'not_ready']);

/** Whether a problem is an error of ours. */
export function isApiError({ status, code }: Pick<Problem, 'status' | 'code'>): boolean {
  return status >= 500 && !NO_ERRORS.has(code);
}

/**
 * The entry for a problem on a route, when it is one that the security log keeps. A body that is too large is refused before
 * any handler could give the refusal its own name, so for webhooks the route does.
 */
export function securityEventOf(problem: Problem, route: string): { kind: string; severity: Severity } | undefined {
  const tooLargeWebhook = problem.code === 'payload_too_large' && route.startsWith('/v1/webhooks/');
  return REFUSALS_KEPT[tooLargeWebhook ? 'webhook_too_large' : problem.refusal];
}
