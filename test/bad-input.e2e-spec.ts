import { gzipSync } from 'node:zlib';
import { Gateway } from './support/gateway';
import type { Answer, Merchant } from './support/merchant';
import { expectProblem } from './support/problems';
import { rawRequest, requestLines as line } from './support/raw-request';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const LIMIT_BYTES = 256 * 1024;
const ERROR = 50;

describe('bad input', () => {
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
    expect(log.filter((line) => (JSON.parse(line) as { level: number }).level >= ERROR)).toEqual([]);
  });

  const fieldsOf = ({ body }: Answer) => (body.errors as { field: string }[]).map(({ field }) => field);
  const postRaw = (raw: string, headers: Record<string, string> = {}) => merchant.post('/v1/payments', undefined, { raw, headers });
  const withAmount = (json: string) => postRaw(`{"amount":${json},"currency":"USD","method":"simulated"}`);

  describe('amounts', () => {
    it.each(['"25.00"', '"0.01"', '"25"', '"1.5"', '"10000000000000000000000000"'])('takes %s', async (json) => {
      expect((await withAmount(json)).status).toBe(201);
    });

    it.each([
      '"1e3"', '"0x10"', '"-0"', '"-1"', '"+1"', '" 1"', '"1 "', '"1."', '".5"', '"01"', '"1,5"', '"1_000"', '"NaN"', '"Infinity"', '""', '"0"',
      '"0.00"', '"1.001"', '"١"', '"1\\n"', '"100000000000000000000000001"', `"${'9'.repeat(61)}"`,
      '25', '25.5', '9007199254740993', '1e3', '-0', '0', 'true', 'false', 'null', '[]', '["1"]', '{}', '{"value":"1"}',
    ])('refuses %s', async (json) => {
      const answer = await withAmount(json);
      expectProblem(answer, 422, 'validation_failed');
      expect([...new Set(fieldsOf(answer))]).toEqual(['amount']);
    });

    it.each(['NaN', 'Infinity', '0x10', '01', '1.', '.5', '+1', 'undefined', "'1'"])('cannot read the JSON number %s', async (json) => {
      expectProblem(await withAmount(json), 400, 'malformed_request');
    });

    it.each([
      ['JPY', '1.5', 422], ['JPY', '1', 201], ['USDT', '0.0000001', 422], ['USDT', '0.000001', 201],
    ])('%s %s is %i', async (currency, amount, status) => {
      const answer = await merchant.post('/v1/payments', { ...order, currency, amount });
      expect(answer.status).toBe(status);
    });
  });

  describe('fields', () => {
    it.each([
      'status', 'client_id', 'clientId', 'role', 'livemode', 'id', 'fee_bps', 'amount_received', 'toString', 'unheard_of',
    ])('refuses %s in a body', async (field) => {
      const answer = await merchant.post('/v1/payments', { ...order, [field]: 'succeeded' });
      expectProblem(answer, 422, 'validation_failed');
      expect(fieldsOf(answer)).toEqual([field]);
    });

    it('refuses unknown fields further in, with their path', async () => {
      expect(fieldsOf(await merchant.post('/v1/payments', { ...order, payer: { role: 'admin' } }))).toEqual(['payer.role']);
    });

    it.each(['[]', '"text"', '7', 'null', 'true'])('refuses %s for a body', async (raw) => {
      expectProblem(await postRaw(raw), 422, 'validation_failed');
    });

    it('refuses a missing body', async () => {
      expectProblem(await merchant.post('/v1/payments'), 422, 'validation_failed');
    });

    it('repeats a made-up name neither at length nor with a card number in it', async () => {
      for (const [name, code] of [['x'.repeat(5000), 'validation_failed'], [`4242424242424242 ${'x'.repeat(5000)}`, 'card_number_present']]) {
        const answer = await merchant.post('/v1/payments', { ...order, [name]: 1 });
        expectProblem(answer, 422, code);
        expect(answer.text).not.toContain('4242424242424242');
        expect(answer.text.length).toBeLessThan(2000);
      }
    });

    it.each(['\\u0000', '\\ud800', '\\udc00', '\\udc00\\ud800'])('refuses text that no database can keep: %s', async (escape) => {
      const texts = ['customer', 'return_url', 'description'].map((field) => `{"amount":"1.00","currency":"USD","method":"simulated","${field}":"http://a.example/${escape}"}`);
      const name = `{"amount":"1.00","currency":"USD","method":"simulated","metadata":{"${escape}":"x"}}`;
      for (const raw of [...texts, name]) expectProblem(await postRaw(raw), 400, 'malformed_request');
    });

    it('takes any other text', async () => {
      const description = 'Grüße, 你好, \u{1f600} "quoted" \\ <b> \' ; -- $1 %s';
      const answer = await merchant.post('/v1/payments', { ...order, description, metadata: { 'ключ ': description } });
      expect(answer.body).toMatchObject({ metadata: { 'ключ ': description } });
    });

    it.each(['\\n', '\\r\\n', '\\t', '\\u0007', '\\u009b'])('refuses control characters in text: %s', async (escape) => {
      expectProblem(await postRaw(`{"amount":"1.00","currency":"USD","method":"simulated","customer":"a${escape}b"}`), 422, 'validation_failed');
    });
  });

  describe('bodies', () => {
    it.each([
      ['nothing', ''], ['a space', ' '], ['half of it', '{"amount":'],
      ['a comment', '{}//'], ['two documents', '{}{}'], ['a tail', '{} x'], ['single quotes', "{'a':1}"],
      ['__proto__', '{"__proto__":{"status":"paid"}}'],
      ['an escaped __proto__', '{"\\u005f_proto__":{}}'], ['a deep __proto__', '{"metadata":{"__proto__":"x"}}'],
      ['constructor', '{"constructor":{"prototype":{"a":1}}}'],
      ['a name twice', '{"amount":"1.00","amount":"2.00","currency":"USD","method":"simulated"}'],
      ['a name twice, once escaped', '{"amount":"1.00","\\u0061mount":"2.00","currency":"USD","method":"simulated"}'],
      ['a name twice further in', '{"metadata":{"a":"1","a":"1"}}'],
      ['45,000 objects in each other', `${'{"":'.repeat(45_000)}1${'}'.repeat(45_000)}`],
      ['45,000 arrays in each other', '['.repeat(45_000) + ']'.repeat(45_000)],
      ['45,000 open brackets', '['.repeat(45_000)],
    ])('cannot read %s', async (_what, raw) => {
      expectProblem(await merchant.post('/v1/payments', undefined, { raw, headers: { 'content-type': 'application/json' } }), 400, 'malformed_request');
    });

    it('is not fooled by colons and brackets inside of text', async () => {
      const metadata = { 'a:b': '{"a":1,"a":2}', '[': '::::\\"', c: '[[[[[['.repeat(50) };
      expect((await merchant.post('/v1/payments', { ...order, metadata })).body).toMatchObject({ metadata });
    });

    it('leaves the prototype of everything alone', () => {
      expect(({} as Record<string, unknown>).status).toBeUndefined();
    });

    it('refuses invalid UTF-8', async () => {
      const body = Buffer.concat([Buffer.from('{"customer":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
      expectProblem(await rawRequest(gateway.url, [line('POST /v1/payments HTTP/1.1', 'Content-Type: application/json', `Content-Length: ${body.length}`), body]), 400, 'malformed_request');
    });

    it('takes 256 KiB and refuses a byte more', async () => {
      const filled = (bytes: number) => JSON.stringify(order).replace('{', `{${' '.repeat(bytes - JSON.stringify(order).length)}`);
      expect((await postRaw(filled(LIMIT_BYTES))).status).toBe(201);
      expectProblem(await postRaw(filled(LIMIT_BYTES + 1)), 413, 'payload_too_large');
    });

    it('refuses too much also when it comes in chunks', async () => {
      const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`;
      const head = line('POST /v1/payments HTTP/1.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
      expectProblem(await rawRequest(gateway.url, [head, ...Array.from({ length: 5 }, () => chunk), '0\r\n\r\n'], 1), 413, 'payload_too_large');
    });

    it.each([
      ['text/plain', {}], ['application/x-www-form-urlencoded', {}],
      ['multipart/form-data; boundary=x', {}], ['application/xml', {}], ['nonsense', {}],
      ['application/json; charset=latin1', {}],
      ['application/json; charset=utf-16', {}], ['application/json', { 'content-encoding': 'br' }],
    ])('refuses %s %j', async (type, headers) => {
      expectProblem(await postRaw(JSON.stringify(order), { 'content-type': type, ...headers }), 415, 'unsupported_media_type');
    });

    it.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON'])('takes %s', async (type) => {
      expect((await postRaw(JSON.stringify(order), { 'content-type': type })).status).toBe(201);
    });

    it('unpacks no gzip, bomb or not', async () => {
      for (const body of [gzipSync(JSON.stringify(order)), gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20))]) {
        const head = line('POST /v1/payments HTTP/1.1', 'Content-Type: application/json', 'Content-Encoding: gzip', `Content-Length: ${body.length}`);
        expectProblem(await rawRequest(gateway.url, [head, body]), 415, 'unsupported_media_type');
      }
    });

    it('stays small under a hundred bombs', async () => {
      const bomb = '[{"a":'.repeat(40_000);
      const throwTen = () => Promise.all(Array.from({ length: 10 }, () => postRaw(bomb)));
      await throwTen();
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      for (let round = 0; round < 10; round += 1) for (const answer of await throwTen()) expect(answer.status).toBe(400);
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    });
  });

  describe('addresses', () => {
    const get = (path: string) => merchant.get(path);

    it.each([
      ["limit=1'--"], ['limit=0'], ['limit=101'], ['limit=1.5'], ['limit=-1'], ['limit='], ['limit=1&limit=2'], ['limit[]=1'],
      ["starting_after=' or 1=1--"], ['starting_after=pay_'], ['starting_after=key_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21'], ['ending_before=%00'],
      ["status=pending' or '1'='1"], ['status=PENDING'], ['method=cash'], ['currency=usd'], ['created_gte=yesterday'], ['created_lt=1'],
      ['created_gte=2026-02-30T00:00:00Z'], ["created_gte=2026-01-01T00:00:00Z'; drop table payments"],
      ['customer=%00'], ['customer=a%0d%0ab'],
      ['order=id'], ['sort=amount;select pg_sleep(5)'], ['unknown=1'],
      ['starting_after=pay_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21&ending_before=pay_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21'],
    ])('refuses the query %s', async (query) => {
      expectProblem(await get(`/v1/payments?${query}`), 422, 'validation_failed');
    });

    it('takes SQL in a filter for a text like any other', async () => {
      const customer = `'; drop table payments; --`;
      const { body } = await merchant.post('/v1/payments', { ...order, customer });
      const found = await get(`/v1/payments?customer=${encodeURIComponent(customer)}`);
      expect((found.body.data as { id: string }[]).map(({ id }) => id)).toEqual([body.id]);
      expect((await get(`/v1/payments?customer=${encodeURIComponent("' or '1'='1")}`)).body).toMatchObject({ data: [], has_more: false });
    });

    it.each([
      'pay_1', "pay_' or 1=1", '..%2f..%2fetc', '%00', 'pay_019A9F0C2B7E4F3A9D1C5B8E7A6F0D21', 'key_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21',
    ])('refuses %s for an id', async (id) => {
      expectProblem(await get(`/v1/payments/${id}`), 422, 'validation_failed');
    });

    it.each([
      '/v1/payments/%zz', '/v1/payments/%', '/v1/%ff%fe', '/%c0%af', `/v1/payments/${'a'.repeat(1000)}`,
    ])('cannot read the path %s', async (path) => {
      expectProblem(await rawRequest(gateway.url, [line(`GET ${path} HTTP/1.1`)]), 400, 'malformed_request');
    });

    it.each([
      '/', '/v1', '/v2/payments', '/v1/payments/', '/v1//payments', '/V1/payments', '/v1/nothing', '/.env', '/v1/payments/a/b/c', '*',
    ])('finds nothing at %s', async (path) => {
      expectProblem(await rawRequest(gateway.url, [line(`GET ${path} HTTP/1.1`)]), 404, 'not_found');
      expectProblem(await rawRequest(gateway.url, [line(`OPTIONS ${path} HTTP/1.1`)]), 404, 'not_found');
    });

    it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])('tells %s which methods an address takes', async (method) => {
      const answer = await rawRequest(gateway.url, [line(`${method} /v1/payments?limit=1 HTTP/1.1`)]);
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
    });

    it('answers HEAD without a body', async () => {
      const answer = await rawRequest(gateway.url, [line('HEAD /v1/payments HTTP/1.1')]);
      expect([answer.status, answer.text]).toEqual([401, '']);
      const live = await rawRequest(gateway.url, [line('HEAD /health/live HTTP/1.1')]);
      expect([live.status, live.headers.get('x-request-id') !== null, live.text]).toEqual([200, true, '']);
    });

    it('takes a long query and refuses one that is longer than all headers may be', async () => {
      expectProblem(await get(`/v1/payments?${'a'.repeat(8_000)}`), 422, 'validation_failed');
      expectProblem(await rawRequest(gateway.url, [line(`GET /v1/payments?${'a'.repeat(20_000)} HTTP/1.1`)]), 400, 'malformed_request');
    });
  });
});
