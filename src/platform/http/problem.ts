/**
 * The one catalogue of errors: a stable code, its status and its title. Clients switch on the code, so a code is never
 * renamed or moved to another status. Written as `application/problem+json` (RFC 9457).
 */
export const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request could not be read' },
  idempotency_key_missing: { status: 400, title: 'An idempotency key is required' },
  idempotency_key_invalid: { status: 400, title: 'The idempotency key is not valid' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  signature_invalid: { status: 401, title: 'The signature does not match' },
  signature_expired: { status: 401, title: 'The signed time is too far from now' },
  token_expired: { status: 401, title: 'The token has expired' },
  forbidden: { status: 403, title: 'Not allowed' },
  scope_missing: { status: 403, title: 'The key lacks a scope' },
  two_factor_required: { status: 403, title: 'A second factor is required' },
  two_factor_invalid: { status: 403, title: 'The second factor is not valid' },
  captcha_required: { status: 403, title: 'A solved CAPTCHA is required' },
  client_inactive: { status: 403, title: 'The client is not active' },
  ip_blocked: { status: 403, title: 'The address is blocked' },
  ip_not_allowed: { status: 403, title: 'The address is not allowed' },
  self_approval: { status: 403, title: 'Nobody decides on their own request' },
  risk_blocked: { status: 403, title: 'Stopped as too risky' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  state_conflict: { status: 409, title: 'The state does not allow this' },
  idempotency_in_progress: { status: 409, title: 'A request with this key is still running' },
  event_conflict: { status: 409, title: 'The event id was used for another event' },
  transaction_already_used: { status: 409, title: 'The chain transaction was used before' },
  destination_cooling_off: { status: 409, title: 'The destination is too new' },
  stale_revision: { status: 409, title: 'The object has changed since it was read' },
  api_version_disabled: { status: 410, title: 'This version of the API has ended' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  validation_failed: { status: 422, title: 'The request is not valid' },
  insufficient_funds: { status: 422, title: 'Not enough funds' },
  refund_exceeds_payment: { status: 422, title: 'More than can be refunded' },
  idempotency_mismatch: { status: 422, title: 'The idempotency key was used for another request' },
  card_number_present: { status: 422, title: 'The request holds a card number' },
  url_not_allowed: { status: 422, title: 'The URL is not allowed' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  provider_unavailable: { status: 502, title: 'A provider does not answer' },
  paused: { status: 503, title: 'Paused by the operator' },
  not_ready: { status: 503, title: 'Not ready' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One wrong field of a request: where, which rule, and what was expected. */
export interface FieldError {
  field: string;
  code: string;
  message: string;
}

export interface ProblemOptions {
  errors?: readonly FieldError[];
  /** Extra response headers, such as `Retry-After` or `Allow`. */
  headers?: Readonly<Record<string, string>>;
  /** What the security log calls this refusal; without it the code itself. */
  refusal?: string;
  cause?: unknown;
}

/** A refusal that a caller may read. `detail` is a sentence for people and never holds a secret. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly errors?: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal: string;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    options: ProblemOptions = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'Problem';
    this.status = PROBLEMS[code].status;
    this.title = PROBLEMS[code].title;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.refusal = options.refusal ?? code;
  }

  /** The body of RFC 9457, with the two members of our own: `code` and `request_id`. */
  toBody(requestId: string): Record<string, unknown> {
    return {
      type: `urn:cpgateway:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.detail,
      code: this.code,
      request_id: requestId,
      ...(this.errors ? { errors: this.errors } : {}),
    };
  }
}

/** 422 for fields that are well-formed JSON but not what the route takes. */
export class ValidationProblem extends Problem {
  constructor(errors: readonly FieldError[]) {
    const names = errors.map((error) => error.field).join(', ');
    const reason = errors.length === 1 ? `: ${errors[0].message}` : '; errors says what is wrong with each';
    super('validation_failed', `Check ${names || 'the request'}${reason}.`.replace(/\.+$/, '.'), { errors });
  }
}

/** 404 for an object that does not exist, is another client's, or belongs to the other mode. */
export class NotFoundProblem extends Problem {
  constructor(what: string) {
    super('not_found', `There is no such ${what}.`);
  }
}
