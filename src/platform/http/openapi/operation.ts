import { LIMITS } from '../../security/limits';
import { mustBeSigned, needsIdempotencyKey } from '../policy';
import type { DeclaredRoute } from '../policy-registry';
import { type ProblemCode, PROBLEMS } from '../problem';
import type { HEADERS, PARAMETERS } from './parts';

type HeaderName = keyof typeof HEADERS;
type ParameterName = keyof typeof PARAMETERS;

/** The parts of an OpenAPI operation that a policy fills in. */
export interface Operation {
  description?: string;
  parameters?: unknown[];
  requestBody?: unknown;
  responses: Record<string, Record<string, unknown>>;
  security?: Record<string, string[]>[];
}

type Condition = (route: DeclaredRoute, operation: Operation) => boolean;

const always: Condition = () => true;
const byKey: Condition = ({ policy }) => policy.access === 'api_key';
const byProvider: Condition = ({ policy }) => policy.access === 'provider';
const signed: Condition = ({ policy, method }) => mustBeSigned(policy, method);
const idempotent: Condition = ({ policy, method }) => needsIdempotencyKey(policy, method);
const testOnly: Condition = ({ policy }) => policy.mode === 'test';
const mayHaveBody: Condition = ({ method }) => method !== 'GET';
/** A provider's event is checked by its source, in the provider's own form. */
const validated: Condition = ({ policy }, { parameters, requestBody }) =>
  policy.access !== 'provider' && (Boolean(requestBody) || (parameters?.length ?? 0) > 0);

/** Which refusals follow from a policy; a route's own come on top. */
const IMPLIED: readonly [Condition, readonly ProblemCode[]][] = [
  [always, ['rate_limited', 'internal_error']],
  [byKey, ['unauthenticated', 'client_inactive', 'ip_not_allowed', 'scope_missing']],
  [byProvider, ['signature_invalid', 'signature_expired', 'ip_not_allowed']],
  // The signature of a PATCH or DELETE stands in for the key, so its repetition finds the first one still running too.
  [signed, ['signature_invalid', 'signature_expired', 'idempotency_in_progress']],
  [idempotent, ['idempotency_key_missing', 'idempotency_key_invalid', 'idempotency_mismatch']],
  [testOnly, ['not_found']],
  [mayHaveBody, ['malformed_request', 'payload_too_large', 'unsupported_media_type']],
  [validated, ['validation_failed']],
];

const COUNTED: readonly HeaderName[] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'RateLimit', 'RateLimit-Policy'];
/** Answers whose refusals say when to come back. */
const RETRY: ReadonlySet<ProblemCode> = new Set(['rate_limited', 'idempotency_in_progress', 'not_ready']);

/** Every code that a route can answer, in the order of the catalogue. */
export function problemCodesOf(route: DeclaredRoute, operation: Operation): ProblemCode[] {
  const implied = IMPLIED.flatMap(([condition, codes]) => (condition(route, operation) ? codes : []));
  const codes = new Set<ProblemCode>([...implied, ...(route.policy.problems ?? [])]);
  return (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.has(code));
}

/** What a provider sends has the provider's own form; its signature is over these very bytes. */
const PROVIDER_EVENT = {
  required: true,
  description: 'The event as the provider signed it, byte for byte, with the provider\'s own signature headers.',
  content: { 'application/json': { schema: { type: 'object' } } },
};

/** Writes into an operation what its route's policy demands and promises: key, headers, refusals and limit. */
export function describeOperation(operation: Operation, route: DeclaredRoute): void {
  const { policy, method } = route;
  const codes = problemCodesOf(route, operation);
  operation.description = descriptionOf(route);
  if (policy.access === 'provider') operation.requestBody ??= PROVIDER_EVENT;
  operation.security = policy.access === 'api_key' ? [{ ApiKey: policy.scope ? [policy.scope] : [] }] : [];
  const headers = headersOf(route).map((name) => ({ $ref: `#/components/parameters/${name}` }));
  // OpenAPI ignores a parameter named Accept: the answer's media types say it (3.1, Parameter Object).
  const own = (operation.parameters ?? []).filter((parameter) => (parameter as { name?: string }).name !== 'accept');
  operation.parameters = [...own, ...headers];
  const replayed: HeaderName[] = mustBeSigned(policy, method) ? ['Idempotency-Replayed'] : [];
  for (const response of Object.values(operation.responses)) {
    // A schema describes JSON; the same answer as CSV is text.
    const content = response.content as Record<string, unknown> | undefined;
    if (content?.['text/csv']) content['text/csv'] = { schema: { type: 'string' } };
    response.headers = headerRefs(['X-Request-Id', ...COUNTED, ...replayed]);
  }
  for (const [status, group] of byStatus(codes)) operation.responses[status] = refusal(group);
}

function descriptionOf({ policy }: DeclaredRoute): string {
  const { limit, windowMs, countedBy } = LIMITS[policy.limit];
  const allowance = `${limit.toLocaleString('en')} in ${windowMs / 1000} s by ${countedBy === 'key' ? 'key' : 'address'}`;
  const scope = policy.scope ? `Scope: \`${policy.scope}\`. ` : '';
  const mode = policy.mode === 'test' ? 'For test keys only. ' : '';
  return `${scope}${mode}Limit: ${allowance}${policy.limit === 'key' ? ', times its tier' : ''}.`;
}

function headersOf({ policy, method }: DeclaredRoute): ParameterName[] {
  return [
    ...(needsIdempotencyKey(policy, method) ? ['Idempotency-Key' as const] : []),
    ...(mustBeSigned(policy, method) ? ['X-Timestamp' as const, 'X-Signature' as const] : []),
  ];
}

function byStatus(codes: readonly ProblemCode[]): Map<string, ProblemCode[]> {
  const groups = new Map<string, ProblemCode[]>();
  for (const code of codes) {
    const status = String(PROBLEMS[code].status);
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

function refusal(codes: readonly ProblemCode[]): Record<string, unknown> {
  const retry = codes.some((code) => RETRY.has(code));
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: headerRefs(['X-Request-Id', ...COUNTED, ...(retry ? ['Retry-After' as const] : [])]),
    content: {
      'application/problem+json': {
        schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }] },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

function exampleOf(code: ProblemCode): Record<string, unknown> {
  const { status, title } = PROBLEMS[code];
  return {
    type: `urn:cpgateway:problem:${code}`,
    title,
    status,
    detail: `${title}.`,
    code,
    request_id: 'req_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21',
    ...(code === 'validation_failed' ? { errors: [{ field: 'amount', code: 'custom', message: 'must be greater than zero' }] } : {}),
  };
}

function headerRefs(names: readonly HeaderName[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
