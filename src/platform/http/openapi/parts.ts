import { PROBLEMS } from '../problem';

/** What the operations point at, written once: headers, header parameters, the ways to authenticate and the problem. */
export const SCHEMAS = {
  FieldError: {
    type: 'object',
    description: 'One wrong field of a request.',
    required: ['field', 'code', 'message'],
    properties: {
      field: { type: 'string', description: 'Where, with dots between levels.' },
      code: { type: 'string', description: 'Which rule.' },
      message: { type: 'string', description: 'What was expected.' },
    },
  },
  Problem: {
    type: 'object',
    description: 'An error (RFC 9457). Switch on the code; the other texts are for people.',
    required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
    properties: {
      type: { type: 'string', format: 'uri' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string', description: 'A sentence that says what to do.' },
      code: { type: 'string', enum: Object.keys(PROBLEMS) },
      request_id: { type: 'string' },
      errors: {
        type: 'array', description: 'With validation_failed: the wrong fields.', items: { $ref: '#/components/schemas/FieldError' },
      },
    },
  },
};

const text = { type: 'string' } as const;
const count = { type: 'string', pattern: '^[0-9]+$' } as const;

/** Headers of answers. */
export const HEADERS = {
  'X-Request-Id': { description: 'Names this request in our logs. A well-formed one that you send is kept.', required: true, schema: text },
  'X-RateLimit-Limit': { description: 'Requests that the window allows.', schema: count },
  'X-RateLimit-Remaining': { description: 'Requests left in the window.', schema: count },
  'X-RateLimit-Reset': { description: 'When the window has room again, in unix seconds.', schema: count },
  RateLimit: { description: 'The same as one structured field: name, remaining (r) and seconds until there is room (t).', schema: text },
  'RateLimit-Policy': { description: 'The limit itself: name, requests (q) and window in seconds (w).', schema: text },
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: count },
  'Idempotency-Replayed': {
    description: 'Present and true when this is the stored answer of an earlier request.', schema: { type: 'string', const: 'true' },
  },
} as const;

/** What every call by key that changes something sends beside the key. */
const BY_KEY = {
  'X-Timestamp': {
    description: 'Now, in unix seconds; at most 300 s from our clock.',
    schema: { type: 'string', pattern: '^[0-9]{1,12}$', examples: ['1763600000'] },
  },
  'X-Signature': {
    description: 'HMAC-SHA256 over the five lines; see "Sign" above.', schema: { type: 'string', pattern: '^v1=[0-9a-f]{64}$' },
  },
  'Idempotency-Key': {
    description: 'New for each new request, the same for a repetition. 1 to 255 visible ASCII characters.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$', examples: ['order-1001'] },
  },
} as const;

/** What people may send beside the access token. */
const BY_PERSON = {
  'X-Livemode': {
    description: 'For calls with an access token: `true` opens your live book, `false` or nothing your test book. A key opens its own.',
    schema: { type: 'string', enum: ['true', 'false'] },
  },
  'X-TOTP-Code': {
    description: 'For calls with an access token: a code of your second factor, where you entered none in the last five minutes.',
    schema: text,
  },
} as const;

type KeyHeader = keyof typeof BY_KEY;
/** Headers of requests by the names of their components; `.by-key`: on routes that people can call without it. */
export type ParameterName = KeyHeader | `${KeyHeader}.by-key` | 'Idempotency-Key.by-choice' | keyof typeof BY_PERSON;

function parameters(): Record<string, unknown> {
  const header = (name: string, required: boolean, parameter: { description: string }) => ({ name, in: 'header', required, ...parameter });
  const ofKeys = Object.entries(BY_KEY).flatMap(([name, parameter]) => [
    [name, header(name, true, parameter)],
    [`${name}.by-key`, header(name, false, { ...parameter, description: `Required for calls by key. ${parameter.description}` })],
  ]);
  const chosen = header('Idempotency-Key', false, {
    ...BY_KEY['Idempotency-Key'], description: `May be sent; a repetition then gets the stored answer. ${BY_KEY['Idempotency-Key'].description}`,
  });
  const ofPeople = Object.entries(BY_PERSON).map(([name, parameter]) => [name, header(name, false, parameter)]);
  return Object.fromEntries([...ofKeys, ['Idempotency-Key.by-choice', chosen], ...ofPeople]) as Record<string, unknown>;
}

export const SECURITY_SCHEMES = {
  ApiKey: {
    type: 'apiKey', in: 'header', name: 'X-API-Key',
    description: 'A merchant\'s key, `cpg_test_…` or `cpg_live_…`. Behind it, an operation names the scopes that the key needs.',
  },
  Bearer: {
    type: 'http', scheme: 'bearer', bearerFormat: 'JWT',
    description: 'The access token of a person who has signed in: one of a merchant\'s people, or of the operator\'s staff.',
  },
} as const;

/** The `components` of the document, beside the schemas that the routes bring. */
export function components(): Record<string, unknown> {
  return { schemas: SCHEMAS, headers: HEADERS, parameters: parameters(), securitySchemes: SECURITY_SCHEMES };
}
