import { connect } from 'node:net';
import { Gateway } from './support/gateway';
import { type Merchant, signatureOf } from './support/merchant';
import { expectProblem } from './support/problems';
import { rawRequest, requestLines as line } from './support/raw-request';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const ERROR = 50;

describe('what no HTTP library would send', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  const log: string[] = [];

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' }, log });
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());
  // Whatever is sent here is the sender's mistake, so nothing of it may look like ours.
  afterEach(() => {
    expect(log.filter((written) => (JSON.parse(written) as { level: number }).level >= ERROR)).toEqual([]);
  });

  describe('HTTP itself', () => {
    it.each([
      ['no HTTP at all', 'hello\r\n\r\n'],
      ['an unknown method', line('FETCH /v1/payments HTTP/1.1')],
      ['an unknown version', line('GET /v1/payments HTTP/3.0')],
      ['a header name with a space', line('GET /v1/payments HTTP/1.1', 'Bad Name: x')],
      ['a header folded over two lines', line('GET /v1/payments HTTP/1.1', 'X-Folded: a', ' b: c')],
      ['a bare line feed in a header', line('GET /v1/payments HTTP/1.1', 'X-Request-Id: abcdefgh\nX-Injected: 1', 'Bad\x01: 1')],
      ['two lengths', line('POST /v1/payments HTTP/1.1', 'Content-Length: 2', 'Content-Length: 3')],
      ['a negative length', line('POST /v1/payments HTTP/1.1', 'Content-Length: -1')],
      ['a length and chunks', `${line('POST /v1/payments HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
      ['an encoding after the chunks', `${line('POST /v1/payments HTTP/1.1', 'Transfer-Encoding: chunked, gzip')}0\r\n\r\n`],
      ['an unknown transfer encoding', `${line('POST /v1/payments HTTP/1.1', 'Transfer-Encoding: xchunked')}0\r\n\r\n`],
      ['a chunk without a size', `${line('POST /v1/payments HTTP/1.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`],
      ['headers of 20 KiB', line('GET /v1/payments HTTP/1.1', `X-Long: ${'a'.repeat(20_000)}`)],
      ['no host', 'GET /v1/payments HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ])('refuses %s in the form of all refusals', async (_what, bytes) => {
      expectProblem(await rawRequest(gateway.url, [bytes]), 400, 'malformed_request');
    });

    it.each([
      ['Expect: something'], ['Upgrade: h2c'], ['TE: trailers'], ['Accept-Version: 9'], ['X-HTTP-Method-Override: DELETE'],
    ])('is not moved by %s', async (header) => {
      const answer = await rawRequest(gateway.url, [line('GET /v1/payments HTTP/1.1', `X-API-Key: ${merchant.credentials.apiKey}`, header)]);
      expect(answer.status).toBe(200);
    });

    it('reads a body that comes in pieces, and knows whose it is', async () => {
      const body = JSON.stringify(order);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const lines = { timestamp, method: 'POST', path: '/v1/payments', idempotencyKey: 'in-pieces', body };
      const head = line(
        'POST /v1/payments HTTP/1.1', `X-API-Key: ${merchant.credentials.apiKey}`, `X-Timestamp: ${timestamp}`, 'Idempotency-Key: in-pieces',
        `X-Signature: ${signatureOf(merchant.credentials.signingSecret, lines)}`, 'Content-Type: application/json',
        `Content-Length: ${body.length}`, 'X-Request-Id: in-pieces-1',
      );
      const answer = await rawRequest(gateway.url, [head, body.slice(0, 9), body.slice(9, 30), body.slice(30)]);
      expect(answer.status).toBe(201);
      const audited = await gateway.database.value('select request_id from audit_events where object_id = $1', [answer.body?.id]);
      expect(audited).toBe('in-pieces-1');
    });

    it('survives a caller that hangs up half-way', async () => {
      const head = line('POST /v1/payments HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 100');
      const { hostname, port } = new URL(gateway.url);
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(`${head}{"amount":`, () => socket.destroy()));
        socket.on('close', () => resolve());
      });
      expect((await merchant.get('/v1/payments')).status).toBe(200);
    });
  });

  describe('request ids', () => {
    it.each(['7', 'a'.repeat(128), 'Order_7.retry-2', 'Root=1-67891233-abcdef012345678912345678'])('keeps %s', async (id) => {
      const answer = await merchant.get('/v1/payments/x', { headers: { 'x-request-id': id } });
      expect([answer.headers.get('x-request-id'), answer.body.request_id]).toEqual([id, id]);
    });

    it.each([
      'a'.repeat(129), 'has a space', '<script>alert(1)</script>', 'ümlaut-umlaut', '4242424242424242', `cpg_test_${'a'.repeat(40)}`,
    ])('replaces %s', async (id) => {
      const answer = await merchant.get('/v1/payments/x', { headers: { 'x-request-id': id } });
      expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    });

    it('gives every answer another one', async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, async () => (await merchant.get('/v1/payments')).headers.get('x-request-id')));
      expect(new Set(ids).size).toBe(20);
    });

    it.each([
      '%0d%0aX-Injected:%201', '%0aX-Injected:1', '%E5%98%8A%E5%98%8DX-Injected:1',
    ])('lets nobody write a header by %s', async (text) => {
      for (const path of [`/v1/payments/${text}`, `/v1/${text}`, `/v1/payments?customer=${text}`, `/v1/payments?${text}=1`]) {
        const answer = await rawRequest(gateway.url, [line(`GET ${path} HTTP/1.1`, `X-API-Key: ${merchant.credentials.apiKey}`)]);
        expect(answer.headers.has('x-injected')).toBe(false);
        expect(answer.status).toBeLessThan(500);
      }
    });
  });
});
