import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { PolicyRegistry } from '../src/platform/http/policy-registry';
import { mustBeSigned, needsIdempotencyKey, type RoutePolicy } from '../src/platform/http/policy';
import { type ProblemCode, PROBLEMS } from '../src/platform/http/problem';
import { EVENT_TYPES, TEST_EVENT_TYPE } from '../src/platform/outbox/event-types';
import { Gateway } from './support/gateway';

interface Response {
  headers: Record<string, { $ref: string }>;
  content?: Record<string, { schema: unknown; examples?: Record<string, unknown> }>;
}
interface Operation {
  operationId: string;
  summary: string;
  description: string;
  security: Record<string, string[]>[];
  parameters: ({ $ref: string } | { name: string; in: string; required?: boolean })[];
  requestBody?: { content: Record<string, { schema: unknown }> };
  responses: Record<string, Response>;
}
interface Document {
  openapi: string;
  info: { description: string };
  paths: Record<string, Record<string, Operation>>;
  webhooks: { event: { post: { requestBody: { content: Record<string, { schema: { properties: { type: { enum: string[] } } } }> } } } };
  components: {
    schemas: Record<string, unknown>;
    headers: Record<string, unknown>;
    parameters: Record<string, { name: string; required: boolean; description: string }>;
    securitySchemes: Record<string, unknown>;
  };
}

const run = promisify(execFile);
const VALIDATOR = path.resolve(__dirname, '../node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js');

async function validate(document: unknown): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cpgateway-openapi-'));
  try {
    const file = path.join(folder, 'openapi.json');
    await writeFile(file, JSON.stringify(document));
    const { stdout } = await run(process.execPath, [VALIDATOR, file]).catch((error: { stdout: string; stderr: string }) => error);
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the published contract', () => {
  let gateway: Gateway;
  let document: Document;
  let answer: Response & globalThis.Response;

  beforeAll(async () => {
    gateway = await Gateway.start();
    answer = (await fetch(`${gateway.url}/openapi.json`)) as typeof answer;
    document = (await answer.json()) as Document;
  });
  afterAll(() => gateway.stop());

  const operations = () =>
    gateway.app.get(PolicyRegistry).routes.map((route) => ({
      ...route,
      operation: document.paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()],
    }));
  const codesAt = (operation: Operation, status: number) =>
    Object.keys(operation.responses[String(status)]?.content?.['application/problem+json']?.examples ?? {});

  it('is served to anybody, with a request id and the limits of callers without a key', () => {
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
    expect(answer.headers.get('x-ratelimit-limit')).toBe('100');
  });

  it('tells receivers every type of event that an endpoint can get', () => {
    const { schema } = document.webhooks.event.post.requestBody.content['application/json'];
    expect(schema.properties.type.enum).toEqual([...EVENT_TYPES, TEST_EVENT_TYPE]);
  });

  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(JSON.parse(await validate(document))).toMatchObject({ valid: true });
  });

  it('would be refused by the validator if it were wrong', async () => {
    expect(await validate({ ...document, paths: { '/x': { get: { responses: { abc: {} } } } } })).not.toMatch(/"valid":\s*true/);
  });

  it('names every route and no other', () => {
    const declared = operations().map(({ method, path: route }) => `${method} ${route.replace(/:(\w+)/g, '{$1}')}`);
    const published = Object.entries(document.paths)
      .flatMap(([route, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${route}`));
    expect(published.sort()).toEqual(declared.sort());
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  const forBoth = ({ access, roles }: RoutePolicy) => access === 'api_key' && roles !== undefined;
  const forPeople = (policy: RoutePolicy) => policy.access === 'person' || policy.access === 'staff' || forBoth(policy);

  it('asks for the key or the token, the scope and the headers that the policy asks for', () => {
    expect(document.components.securitySchemes).toMatchObject({ ApiKey: { type: 'apiKey' }, Bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } });
    for (const { method, policy, operation } of operations()) {
      expect(operation.security).toEqual([
        ...(policy.access === 'api_key' ? [{ ApiKey: [policy.scope] }] : []),
        ...(forPeople(policy) ? [{ Bearer: [] }] : []),
      ]);
      const asked = operation.parameters
        .flatMap((parameter) => ('$ref' in parameter ? [document.components.parameters[path.basename(parameter.$ref)]] : []))
        .map(({ name, required }) => [name, required]);
      const expected = [
        ...(needsIdempotencyKey(policy, method) ? [['Idempotency-Key', !forBoth(policy)]] : []),
        ...(policy.idempotent ? [['Idempotency-Key', false]] : []),
        ...(mustBeSigned(policy, method) ? [['X-Timestamp', !forBoth(policy)], ['X-Signature', !forBoth(policy)]] : []),
        ...(forBoth(policy) ? [['X-Livemode', false]] : []),
        ...(policy.stepUp === true ? [['X-TOTP-Code', false]] : []),
      ];
      expect(asked).toEqual(expected);
      expect(operation.summary).toBe(policy.summary);
    }
  });

  it('says who may call and how often', () => {
    const described = (route: string, method: string) => document.paths[route][method].description;
    expect(described('/v1/payments', 'post')).toBe('Scope: `payments:write`. Limit: 1,000 in 60 s by key, times its tier.');
    expect(described('/v1/payments', 'get')).toBe(
      'Scope: `payments:read`. People: owner, developer, viewer. Limit: 1,000 in 60 s by key, times its tier; 300 in 60 s by person.',
    );
    expect(described('/v1/api-keys', 'post')).toBe(
      'Scope: `keys:write`. People: owner, developer. Calls by key are signed; those with an access token are not. People who have a second factor must '
      + 'have entered it in the last five minutes, or send a code as `X-TOTP-Code`. Limit: 5 in 3600 s by client.',
    );
    expect(described('/v1/admin/clients', 'post')).toBe('Staff: admin. People who have a second factor must '
      + 'have entered it in the last five minutes, or send a code as `X-TOTP-Code`. Limit: 30 in 60 s by person.');
    expect(described('/v1/client/settings', 'patch')).toContain('Limit: 30 in 60 s by key or person.');
    expect(described('/v1/auth/sessions', 'get')).toBe('Anybody who has signed in. Limit: 300 in 60 s by person.');
    expect(document.components.parameters['X-Signature.by-key'].description).toMatch(/^Required for calls by key\./);
    expect(document.info.description).toMatch(/## Sign in\n[^#]*Authorization: Bearer/);
  });

  it('names the success and every refusal that a policy implies', () => {
    for (const { method, path: route, policy, operation } of operations()) {
      const keyed = policy.access === 'api_key';
      const personal = forPeople(policy);
      const success = operation.responses[String(policy.status ?? 200)];
      expect(success.headers).toHaveProperty('X-Request-Id');
      expect('Idempotency-Replayed' in success.headers).toBe((keyed && method !== 'GET') || policy.idempotent === true);
      expect(codesAt(operation, 429)).toEqual(['rate_limited']);
      expect(operation.responses['429'].headers).toHaveProperty('Retry-After');
      expect(codesAt(operation, 500)).toEqual(['internal_error']);
      expect(codesAt(operation, 401)).toEqual([
        ...(keyed || personal || policy.problems?.includes('unauthenticated') ? ['unauthenticated'] : []),
        ...((keyed && method !== 'GET') || policy.access === 'provider' || policy.problems?.includes('signature_invalid')
          ? ['signature_invalid', 'signature_expired'] : []),
        ...(personal ? ['token_expired'] : []),
      ]);
      expect(codesAt(operation, 410)).toEqual(route.startsWith('/v1/') ? ['api_version_disabled'] : []);
      const codes: ProblemCode[] = [
        'ip_blocked',
        ...(keyed ? ['forbidden', 'scope_missing', 'client_inactive', 'ip_not_allowed'] as const : []),
        ...(personal ? ['forbidden', 'two_factor_required'] as const : []),
        ...(policy.access === 'person' ? ['client_inactive'] as const : []),
        ...(policy.stepUp ? ['two_factor_required', 'two_factor_invalid'] as const : []),
        ...(forBoth(policy) ? ['malformed_request'] as const : []),
        ...(operation.requestBody && policy.access !== 'provider' ? ['card_number_present', 'validation_failed'] as const : []),
        ...(keyed && method === 'POST' ? ['idempotency_key_missing', 'idempotency_key_invalid', 'idempotency_mismatch'] as const : []),
        ...(policy.idempotent ? ['idempotency_key_invalid', 'idempotency_mismatch', 'idempotency_in_progress'] as const : []),
        ...(keyed && method !== 'GET' ? ['idempotency_in_progress'] as const : []),
        ...(operation.requestBody ? ['malformed_request', 'unsupported_media_type', 'payload_too_large'] as const : []),
        ...(policy.mode === 'test' ? ['not_found'] as const : []),
        ...(policy.problems ?? []),
      ];
      for (const code of codes) expect(codesAt(operation, PROBLEMS[code].status)).toContain(code);
    }
  });

  it('shows requests field by field', () => {
    const create = document.paths['/v1/payments'].post;
    const schema = create.requestBody!.content['application/json'].schema as Record<string, object>;
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['amount', 'currency', 'method', 'metadata', 'expires_in']));
    expect(schema).toMatchObject({ required: ['amount', 'currency', 'method'], additionalProperties: false });
    const query = document.paths['/v1/payments'].get.parameters.flatMap((parameter) => ('name' in parameter ? [parameter] : []));
    const names = ['limit', 'starting_after', 'ending_before', 'created_gte', 'created_lt', 'status'];
    expect(query.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    const [id] = document.paths['/v1/payments/{id}'].get.parameters;
    expect(id).toMatchObject({ name: 'id', in: 'path', required: true });
  });

  it('writes a payment once and points at it everywhere else', () => {
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Payment', 'Problem']));
    const created = document.paths['/v1/payments'].post.responses['201'].content!['application/json'].schema;
    expect(created).toEqual({ $ref: '#/components/schemas/Payment' });
    const listed = document.paths['/v1/payments'].get.responses['200'].content!['application/json'].schema;
    expect(listed).toMatchObject({ properties: { data: { items: { $ref: '#/components/schemas/Payment' } } } });
    expect(JSON.stringify(document).match(/"amount_refunded"/g)).toHaveLength(2);
  });

  it('has a page that loads only from this server', async () => {
    const page = await fetch(`${gateway.url}/docs`);
    const html = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('x-request-id')).toMatch(/^req_/);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/);
    expect(html).not.toMatch(/https?:|\bon\w+=|<style|<script>/);
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    const needed = ['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js', '/openapi.json'];
    expect(loaded).toEqual(expect.arrayContaining(needed));
    for (const address of loaded) expect([address, (await fetch(gateway.url + address)).status]).toEqual([address, 200]);
  });

  it('refuses other methods and other files there', async () => {
    expect((await fetch(`${gateway.url}/openapi.json`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${gateway.url}/docs/package.json`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/docs/..%2fpackage.json`)).status).toBe(404);
  });

  it('counts readers by address', async () => {
    const small = await Gateway.start({ database: gateway.database });
    try {
      const answers = await Promise.all(Array.from({ length: 101 }, () => fetch(`${small.url}/docs/start.js`)));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(1);
      expect(refused[0].headers.get('retry-after')).toMatch(/^[0-9]+$/);
      expect(await refused[0].json()).toMatchObject({ code: 'rate_limited' });
    } finally {
      await small.stop();
    }
  });
});
