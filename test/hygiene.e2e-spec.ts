import { createHash } from 'node:crypto';
import { Gateway } from './support/gateway';
import { signatureOf } from './support/merchant';
import { expectProblem } from './support/problems';
import { rawRequest } from './support/raw-request';
import { send, type SendOptions } from './support/send';

const PRODUCTION = {
  NODE_ENV: 'production', PUBLIC_URL: 'https://pay.example', SMTP_URL: 'smtp://mail.example', WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false',
};
const STAGING = { ...PRODUCTION, NODE_ENV: 'staging' };
const DEVELOPMENT = { NODE_ENV: 'development' };
const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'geolocation=(), microphone=(), camera=()',
};
const HSTS = 'max-age=31536000; includeSubDomains';
const CSP = "default-src 'none'; frame-ancestors 'none'";

const running = new Map<string, Promise<Gateway>>();

/** A gateway with these settings, which all tests share that want the same. */
function start(environment: Record<string, string>): Promise<Gateway> {
  const key = JSON.stringify(environment);
  const gateway = running.get(key) ?? Gateway.start({ environment });
  running.set(key, gateway);
  return gateway;
}
afterAll(async () => {
  for (const gateway of running.values()) await (await gateway).stop();
});

async function call(url: string, options?: SendOptions) {
  const answer = await send(url, options);
  let body: Record<string, unknown> = {};
  if (answer.headers.get('content-type')?.includes('json')) body = JSON.parse(answer.text) as Record<string, unknown>;
  return { ...answer, body };
}

describe('security headers', () => {
  const addresses = ['/health/live', '/v1/payments', '/nothing/here', '/docs', '/openapi.json', '/docs/start.js', '/%zz'];

  it.each([
    ['development', DEVELOPMENT, null, null],
    ['staging', STAGING, HSTS, null],
    ['production', PRODUCTION, HSTS, CSP],
  ])('stand on every answer in %s', async (_name, environment, strictTransport, policy) => {
    const { url } = await start(environment);
    for (const address of addresses) {
      const { headers } = await call(url + address);
      expect([address, Object.fromEntries(Object.keys(ALWAYS).map((name) => [name, headers.get(name)]))]).toEqual([address, ALWAYS]);
      expect([address, headers.get('strict-transport-security')]).toEqual([address, strictTransport]);
      if (address !== '/docs') expect([address, headers.get('content-security-policy')]).toEqual([address, policy]);
      expect([address, headers.get('cache-control')]).toEqual([address, address.startsWith('/v1/') ? 'no-store' : null]);
    }
  });

  it('stand on what is refused before HTTP is understood', async () => {
    const { url } = await start(PRODUCTION);
    const answer = await rawRequest(url, ['NONSENSE\r\n\r\n']);
    expect(answer.status).toBe(400);
    for (const [name, value] of Object.entries({ ...ALWAYS, 'strict-transport-security': HSTS })) expect(answer.headers.get(name)).toBe(value);
  });

  it('let the page at /docs run its own files and no others', async () => {
    const { url } = await start(PRODUCTION);
    const { headers, text } = await call(`${url}/docs`);
    expect(headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(text).not.toMatch(/<script(?! src="\/docs\/)|<style| on\w+=/);
    for (const [, file] of text.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)) expect((await call(url + file)).status).toBe(200);
  });

  it('let no cache keep what lies below a version, also where nothing lies', async () => {
    const gateway = await start(DEVELOPMENT);
    const merchant = await gateway.merchant();
    for (const path of ['/v1/payments', '/v1/nothing', '/%76%31/payments']) {
      expect((await merchant.get(path)).headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('versions', () => {
  it('that are to be left say since when and until when', async () => {
    const gateway = await start({ DEPRECATED_API_VERSIONS: 'v1:2026-01-31:2030-12-31' });
    const merchant = await gateway.merchant();
    const { headers, status } = await merchant.get('/v1/payments');
    expect([status, headers.get('deprecation'), headers.get('sunset')]).toEqual([200, '@1769817600', 'Tue, 31 Dec 2030 00:00:00 GMT']);
    expect(headers.get('warning')).toMatch(/^299 - "Version v1 .*2030-12-31/);
    expect((await call(`${gateway.url}/health/live`)).headers.get('deprecation')).toBeNull();
  });

  it('that are not, do not', async () => {
    const { headers } = await (await (await start({})).merchant()).get('/v1/payments');
    expect([headers.get('deprecation'), headers.get('sunset'), headers.get('warning')]).toEqual([null, null, null]);
  });

  it('that have ended are refused before anything is asked, and recorded', async () => {
    const gateway = await start({ DISABLED_API_VERSIONS: 'v0,v1,v2', FRONTEND_ORIGIN: 'https://shop.example' });
    const { url, database } = gateway;
    for (const path of ['/v1/payments', '/v0/payments', '/v2', '/v1?x=1', '/v1/nothing/here', '/%76%31/payments']) {
      expectProblem(await call(url + path), 410, 'api_version_disabled');
    }
    expectProblem(await call(`${url}/v1/payments`, { method: 'POST', body: '{' }), 410, 'api_version_disabled');
    const readable = await call(`${url}/v1/payments`, { headers: { origin: 'https://shop.example' } });
    expect(readable.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect((await call(`${url}/v3/payments`)).status).toBe(404);
    expect((await call(`${url}/v10/payments`)).status).toBe(404);
    expect((await call(`${url}/health/live`)).status).toBe(200);
    const kept = await database.rows(`select kind, severity, api_version from security_events where kind like 'api_version%'`);
    expect(kept).toContainEqual({ kind: 'api_version.disabled', severity: 'medium', api_version: 'v1' });
  });

  it('are recorded with what was changed', async () => {
    const gateway = await start({});
    const merchant = await gateway.merchant();
    await merchant.post('/v1/payments', { amount: '1.00', currency: 'USD', method: 'simulated' });
    expect(await gateway.database.value(`select api_version from audit_events where kind = 'payment.created'`)).toBe('v1');
  });
});

describe('debug endpoints', () => {
  const json = { 'content-type': 'application/json' };
  const ask = (url: string, body: object) => call(`${url}/v1/debug/signature`, { method: 'POST', headers: json, body: JSON.stringify(body) });

  it('show the lines that a signature is made over', async () => {
    const { url } = await start(DEVELOPMENT);
    const body = '{"note":"é"}';
    const given = { timestamp: '1763600000', method: 'post', path: '/v1/payments?a=b', idempotency_key: 'order-1', body };
    const { status, body: shown } = await ask(url, given);
    const digest = createHash('sha256').update(body).digest('hex');
    expect([status, shown]).toEqual([200, {
      lines: ['1763600000', 'POST', '/v1/payments?a=b', 'order-1', digest], body_sha256: digest, body_bytes: 13,
    }]);
    expectProblem(await ask(url, { ...given, secret: 'x' }), 422, 'validation_failed');
  });

  it('show lines that sign a real call', async () => {
    const gateway = await start(DEVELOPMENT);
    const { credentials } = await gateway.merchant();
    const order = '{"amount":"1.00","currency":"USD","method":"simulated"}';
    const timestamp = String(Math.floor(Date.now() / 1000));
    const shown = await ask(gateway.url, { timestamp, method: 'POST', path: '/v1/payments', idempotency_key: 'order-2', body: order });
    const [time, method, path, idempotencyKey] = shown.body['lines'] as string[];
    const signature = signatureOf(credentials.signingSecret, { timestamp: time, method, path, idempotencyKey, body: order });
    const headers = { ...json, 'x-api-key': credentials.apiKey, 'x-timestamp': time, 'idempotency-key': idempotencyKey, 'x-signature': signature };
    expect((await call(gateway.url + path, { method, headers, body: order })).status).toBe(201);
  });

  it.each([
    ['an untrusted peer', {}, { ip: '127.0.0.1', peer_trusted: false }],
    ['a trusted proxy', { TRUSTED_PROXIES: '127.0.0.0/8' }, { ip: '203.0.113.7', peer_trusted: true }],
  ])('show whom the gateway sees behind %s', async (_who, environment, expected) => {
    const { url } = await start(environment);
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.8', 'x-request-id': 'debug-1' };
    const { status, body } = await call(`${url}/v1/debug/request`, { headers });
    expect([status, body]).toEqual([200, {
      ...expected, api_version: 'v1', request_id: 'debug-1', forwarding_headers: ['x-forwarded-for', 'x-real-ip'],
    }]);
  });

  it('are an address like any unknown one in production, unless named', async () => {
    const { url } = await start({ ...PRODUCTION, DEBUG_ENDPOINTS_WHITELIST: 'request' });
    expect((await call(`${url}/v1/debug/request`)).status).toBe(200);
    const unlike = /request_id|x-request-id|x-ratelimit|^ratelimit|^date$/;
    const shape = ({ status, headers, body }: Awaited<ReturnType<typeof call>>) =>
      [status, Object.entries({ ...body, ...Object.fromEntries(headers) }).filter(([name]) => !unlike.test(name))];
    for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
      const hidden = await call(`${url}/v1/debug/signature`, { method });
      expect(shape(hidden)).toEqual(shape(await call(`${url}/v1/debug/signatur_`, { method })));
      expectProblem(hidden, 404, 'not_found');
    }
    const { paths } = (await call(`${url}/openapi.json`)).body as { paths: Record<string, unknown> };
    expect(Object.keys(paths).filter((path) => path.includes('debug'))).toEqual(['/v1/debug/request']);
  });

  it('are counted with the callers without a key', async () => {
    const { url } = await start(DEVELOPMENT);
    expect((await call(`${url}/v1/debug/request`)).headers.get('ratelimit-policy')).toMatch(/^"anonymous"/);
  });
});
