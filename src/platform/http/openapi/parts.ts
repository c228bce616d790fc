import { PROBLEMS } from '../problem';

/** What the operations point at, written once: headers, header parameters, the key and the problem. */
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

/** Headers of requests, beside the key. */
export const PARAMETERS = {
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

export const SECURITY_SCHEMES = {
  ApiKey: {
    type: 'apiKey', in: 'header', name: 'X-API-Key',
    description: 'A merchant\'s key, `cpg_test_…` or `cpg_live_…`. Behind it, an operation names the scopes that the key needs.',
  },
} as const;

/** The `components` of the document, beside the schemas that the routes bring. */
export function components(): Record<string, unknown> {
  return {
    schemas: SCHEMAS,
    headers: HEADERS,
    parameters: Object.fromEntries(
      Object.entries(PARAMETERS).map(([name, parameter]) => [name, { name, in: 'header', required: true, ...parameter }]),
    ),
    securitySchemes: SECURITY_SCHEMES,
  };
}
