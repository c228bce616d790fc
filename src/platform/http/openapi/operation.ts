import { type CountedBy, type Limit, LIMITS } from '../../security/limits/limits';
import { mustBeSigned, needsIdempotencyKey, type RoutePolicy } from '../policy';
import type { DeclaredRoute } from '../policy-registry';
import { type ProblemCode, PROBLEMS } from '../problem';
import type { HEADERS, ParameterName } from './parts';

type HeaderName = keyof typeof HEADERS;

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
const byToken: Condition = ({ policy }) => opensToPeople(policy);
/** Staff belong to no client; everybody else is let in as long as theirs is active. */
const byClient: Condition = ({ policy }) => policy.access === 'api_key' || policy.access === 'person';
const inChosenBook: Condition = ({ policy }) => choosesBook(policy);
const steppedUp: Condition = ({ policy }) => policy.stepUp !== undefined;
const ofVersion: Condition = ({ path }) => /^\/v[0-9]+\//.test(path);
const byProvider: Condition = ({ policy }) => policy.access === 'provider';
const signed: Condition = ({ policy, method }) => mustBeSigned(policy, method);
const idempotent: Condition = ({ policy, method }) => needsIdempotencyKey(policy, method);
const byChoice: Condition = ({ policy }) => policy.idempotent === true;
const testOnly: Condition = ({ policy }) => policy.mode === 'test';
const mayHaveBody: Condition = ({ method }) => method !== 'GET';
/** A provider's event is checked by its source, in the provider's own form. */
const validated: Condition = ({ policy }, { parameters, requestBody }) =>
  policy.access !== 'provider' && (Boolean(requestBody) || (parameters?.length ?? 0) > 0);

/** Which refusals follow from a policy; a route's own come on top. */
const IMPLIED: readonly [Condition, readonly ProblemCode[]][] = [
  [always, ['ip_blocked', 'rate_limited', 'internal_error']],
  [ofVersion, ['api_version_disabled']],
  [byKey, ['unauthenticated', 'forbidden', 'ip_not_allowed', 'scope_missing']],
  [byToken, ['unauthenticated', 'token_expired', 'forbidden', 'two_factor_required']],
  [byClient, ['client_inactive']],
  [inChosenBook, ['malformed_request']],
  [steppedUp, ['two_factor_required', 'two_factor_invalid']],
  [byProvider, ['signature_invalid', 'signature_expired', 'ip_not_allowed']],
  // The signature of a PATCH or DELETE stands in for the key, so its repetition finds the first one still running too.
  [signed, ['signature_invalid', 'signature_expired', 'idempotency_in_progress']],
  [idempotent, ['idempotency_key_missing', 'idempotency_key_invalid', 'idempotency_mismatch']],
  [byChoice, ['idempotency_key_invalid', 'idempotency_mismatch', 'idempotency_in_progress']],
  [testOnly, ['not_found']],
  [mayHaveBody, ['malformed_request', 'payload_too_large', 'unsupported_media_type']],
  [validated, ['validation_failed', 'card_number_present']],
];

const COUNTED: readonly HeaderName[] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'RateLimit', 'RateLimit-Policy'];
/** Answers whose refusals say when to come back. */
const RETRY: ReadonlySet<ProblemCode> = new Set(['ip_blocked', 'rate_limited', 'idempotency_in_progress', 'not_ready']);

/** Whether a signed-in person can call the route, beside or instead of a key. */
function opensToPeople({ access, roles }: RoutePolicy): boolean {
  return access === 'person' || access === 'staff' || (access === 'api_key' && roles !== undefined);
}

/** Whether keys and people can call the route: a key opens its own book, a person says which. */
function choosesBook({ access, roles }: RoutePolicy): boolean {
  return access === 'api_key' && roles !== undefined;
}

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
  operation.security = securityOf(policy);
  const headers = headersOf(route).map((name) => ({ $ref: `#/components/parameters/${name}` }));
  // OpenAPI ignores a parameter named Accept: the answer's media types say it (3.1, Parameter Object).
  const own = (operation.parameters ?? []).filter((parameter) => (parameter as { name?: string }).name !== 'accept');
  operation.parameters = [...own, ...headers];
  const replayed: HeaderName[] = mustBeSigned(policy, method) || policy.idempotent ? ['Idempotency-Replayed'] : [];
  for (const response of Object.values(operation.responses)) {
    // A schema describes JSON; the same answer as CSV is text.
    const content = response.content as Record<string, unknown> | undefined;
    if (content?.['text/csv']) content['text/csv'] = { schema: { type: 'string' } };
    response.headers = headerRefs(['X-Request-Id', ...COUNTED, ...replayed]);
  }
  for (const [status, group] of byStatus(codes)) operation.responses[status] = refusal(group);
}

/** Either of them opens the route. */
function securityOf(policy: RoutePolicy): Record<string, string[]>[] {
  return [
    ...(policy.access === 'api_key' ? [{ ApiKey: policy.scope ? [policy.scope] : [] }] : []),
    ...(opensToPeople(policy) ? [{ Bearer: [] }] : []),
  ];
}

const COUNTED_BY: Readonly<Record<Exclude<CountedBy, 'caller'>, string>> = {
  client: 'client', person: 'person', ip: 'address', subject: 'account or session',
};

function descriptionOf({ policy, method }: DeclaredRoute): string {
  const sentences = [
    policy.scope && `Scope: \`${policy.scope}\`.`,
    whichPeople(policy),
    policy.mode === 'test' && 'For test keys only.',
    choosesBook(policy) && mustBeSigned(policy, method) && 'Calls by key are signed; those with an access token are not.',
    policy.stepUp && 'People who have a second factor must have entered it in the last five minutes'
      + (policy.stepUp === true ? ', or send a code as `X-TOTP-Code`.' : ', or enter it with this call.'),
    `Limit: ${limitOf(policy)}.`,
  ];
  return sentences.filter(Boolean).join(' ');
}

function whichPeople(policy: RoutePolicy): string | undefined {
  if (policy.roles) return `${policy.access === 'staff' ? 'Staff' : 'People'}: ${policy.roles.join(', ')}.`;
  return policy.access === 'person' ? 'Anybody who has signed in.' : undefined;
}

/** People are counted in a class of their own where keys are. */
function limitOf(policy: RoutePolicy): string {
  if (policy.limit !== 'key') return allowance(LIMITS[policy.limit], callersOf(policy));
  const ofKeys = `${allowance(LIMITS.key, 'key')}, times its tier`;
  return opensToPeople(policy) ? `${ofKeys}; ${allowance(LIMITS.person, 'person')}` : ofKeys;
}

function callersOf(policy: RoutePolicy): string {
  if (policy.access !== 'api_key') return opensToPeople(policy) ? 'person' : 'address';
  return policy.roles ? 'key or person' : 'key';
}

function allowance({ limit, windowMs, countedBy }: Limit, callers: string): string {
  const by = countedBy === 'caller' ? callers : COUNTED_BY[countedBy];
  return `${limit.toLocaleString('en')} in ${windowMs / 1000} s by ${by}`;
}

function headersOf({ policy, method }: DeclaredRoute): ParameterName[] {
  const ofBoth = choosesBook(policy);
  return [
    ...(needsIdempotencyKey(policy, method) ? [ofBoth ? 'Idempotency-Key.by-key' as const : 'Idempotency-Key' as const] : []),
    ...(policy.idempotent ? ['Idempotency-Key.by-choice' as const] : []),
    ...(mustBeSigned(policy, method)
      ? ofBoth ? ['X-Timestamp.by-key' as const, 'X-Signature.by-key' as const] : ['X-Timestamp' as const, 'X-Signature' as const]
      : []),
    ...(ofBoth ? ['X-Livemode' as const] : []),
    ...(policy.stepUp === true ? ['X-TOTP-Code' as const] : []),
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
