import { randomUUID } from 'node:crypto';
import { CleanIdempotencyKeys } from '../src/platform/idempotency/clean-idempotency-keys';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import { type Answer, type Merchant, signatureOf } from './support/merchant';
import { rawRequest } from './support/raw-request';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const codeOf = ({ status, body }: Answer) => [status, body?.code];
const replayed = ({ headers }: Answer) => headers.get('idempotency-replayed');

describe('idempotency keys', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const stored = (key: string) => gateway.database.rows<{ livemode: boolean; status: number; body: string; sealed: boolean }>(
    'select livemode, status, body, sealed from idempotency_keys where key = $1 order by livemode', [key],
  );

  it('repeats the answer of the same request, and only once does anything', async () => {
    const idempotencyKey = randomUUID();
    const first = await merchant.post('/v1/payments', order, { idempotencyKey });
    const second = await merchant.post('/v1/payments', order, { idempotencyKey });
    expect([first.status, replayed(first)]).toEqual([201, null]);
    expect([second.status, replayed(second), second.text]).toEqual([201, 'true', first.text]);
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(await stored(idempotencyKey)).toEqual([{ livemode: false, status: 201, body: first.text, sealed: false }]);
  });

  it.each([
    ['is missing', '', 'idempotency_key_missing'],
    ['has 256 characters', 'k'.repeat(256), 'idempotency_key_invalid'],
    ['has a space', 'two words', 'idempotency_key_invalid'],
    ['has a letter beyond ASCII', 'schlüssel', 'idempotency_key_invalid'],
  ])('refuses a POST whose key %s', async (_what, idempotencyKey, code) => {
    expect(codeOf(await merchant.post('/v1/payments', order, { idempotencyKey }))).toEqual([400, code]);
  });

  it('refuses two keys, however they are signed', async () => {
    const body = JSON.stringify(order);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const lines = { timestamp, method: 'POST', path: '/v1/payments', idempotencyKey: 'one, two', body };
    const answer = await rawRequest(gateway.url, [[
      'POST /v1/payments HTTP/1.1', 'Host: gateway', 'Connection: close', `X-API-Key: ${merchant.credentials.apiKey}`,
      'Idempotency-Key: one', 'Idempotency-Key: two', `X-Timestamp: ${timestamp}`,
      `X-Signature: ${signatureOf(merchant.credentials.signingSecret, lines)}`,
      'Content-Type: application/json', `Content-Length: ${body.length}`, '', body,
    ].join('\r\n')]);
    expect([answer.status, answer.body?.code]).toEqual([400, 'idempotency_key_invalid']);
  });

  it.each(['k', '!~"\'\\', 'k'.repeat(255)])('takes the key %s', async (idempotencyKey) => {
    expect((await merchant.post('/v1/payments', order, { idempotencyKey })).status).toBe(201);
  });

  it('asks for none where the signature stands in for it', async () => {
    expect((await merchant.call('PATCH', '/v1/client/settings', {})).status).toBe(200);
  });

  it('refuses the key for another body, query or object', async () => {
    const idempotencyKey = randomUUID();
    const { body } = await merchant.post('/v1/payments', order, { idempotencyKey });
    const other = await merchant.post('/v1/payments', { ...order, amount: '25.01' }, { idempotencyKey });
    expect(codeOf(other)).toEqual([422, 'idempotency_mismatch']);
    expect(codeOf(await merchant.post('/v1/payments?a=1', order, { idempotencyKey }))).toEqual([422, 'idempotency_mismatch']);
    const next = (await merchant.post('/v1/payments', order)).body.id;
    const cancel = randomUUID();
    expect((await merchant.post(`/v1/payments/${body.id}/cancel`, undefined, { idempotencyKey: cancel })).status).toBe(200);
    expect(codeOf(await merchant.post(`/v1/payments/${next}/cancel`, undefined, { idempotencyKey: cancel }))).toEqual([422, 'idempotency_mismatch']);
    expect((await merchant.get(`/v1/payments/${next}`)).body.status).toBe('pending');
  });

  it('keeps the keys of routes, clients and modes apart', async () => {
    const idempotencyKey = randomUUID();
    const other = await gateway.merchant();
    const live = await gateway.merchant({ live: true });
    const test = await anotherKey(gateway, live, { livemode: false });
    const card = { ...order, method: 'card' };
    const answers = [
      await merchant.post('/v1/payments', card, { idempotencyKey }),
      await other.post('/v1/payments', card, { idempotencyKey }),
      await live.post('/v1/payments', card, { idempotencyKey }),
      await test.post('/v1/payments', card, { idempotencyKey }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(4);
    expect(answers.map(replayed)).toEqual([null, null, null, null]);
    expect((await stored(idempotencyKey)).map(({ livemode }) => livemode)).toEqual([false, false, false, true]);
    const cancelled = await merchant.post(`/v1/payments/${answers[0].body.id}/cancel`, undefined, { idempotencyKey });
    expect([cancelled.status, replayed(cancelled)]).toEqual([200, null]);
  });

  it('shares its keys among the API keys of one client and mode', async () => {
    const idempotencyKey = randomUUID();
    const first = await merchant.post('/v1/payments', order, { idempotencyKey });
    const second = await (await anotherKey(gateway, merchant)).post('/v1/payments', order, { idempotencyKey });
    expect([second.status, replayed(second), second.text]).toEqual([201, 'true', first.text]);
  });

  it('stores successes only: a refused request may be put right and sent with the same key', async () => {
    const idempotencyKey = randomUUID();
    expect((await merchant.post('/v1/payments', { ...order, amount: '-1' }, { idempotencyKey })).status).toBe(422);
    const unsigned = await merchant.post('/v1/payments', order, { idempotencyKey, tamper: (headers) => delete headers['x-signature'] });
    expect(unsigned.status).toBe(401);
    expect(await stored(idempotencyKey)).toEqual([]);
    const put = await merchant.post('/v1/payments', order, { idempotencyKey });
    expect([put.status, replayed(put)]).toEqual([201, null]);
  });

  it('stores no refusal of the change itself', async () => {
    const idempotencyKey = randomUUID();
    const { body } = await merchant.post('/v1/payments', order);
    await merchant.post(`/v1/test/payments/${body.id}/pay`, {});
    for (const _time of [1, 2]) {
      const refused = await merchant.post(`/v1/payments/${body.id}/cancel`, undefined, { idempotencyKey });
      expect([...codeOf(refused), replayed(refused)]).toEqual([409, 'state_conflict', null]);
    }
    expect(await stored(idempotencyKey)).toEqual([]);
  });

  it('makes one of 30 parallel requests that go through a transaction', async () => {
    const idempotencyKey = randomUUID();
    const { body } = await merchant.post('/v1/payments', order);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => merchant.post(`/v1/payments/${body.id}/cancel`, undefined, { idempotencyKey })),
    );
    expect(answers.filter((answer) => answer.status === 200 && !replayed(answer))).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 200) expect(codeOf(answer)).toEqual([409, 'idempotency_in_progress']);
    const told = await gateway.database.value('select count(*)::int from audit_events where object_id = $1 and kind = $2', [body.id, 'payment.canceled']);
    expect(told).toBe(1);
  });

  it('seals an answer that holds a secret, and still repeats it', async () => {
    const idempotencyKey = randomUUID();
    const request = { name: 'sealed', scopes: ['payments:read'] };
    const first = await merchant.post('/v1/api-keys', request, { idempotencyKey });
    const [row] = await stored(idempotencyKey);
    expect(row).toMatchObject({ status: 201, sealed: true });
    for (const secret of [first.body.api_key, first.body.signing_secret]) expect(row.body).not.toContain(secret);
    const second = await merchant.post('/v1/api-keys', request, { idempotencyKey });
    expect([second.status, replayed(second), second.text]).toEqual([201, 'true', first.text]);
  });

  it('forgets keys after two days, not after one', async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    for (const idempotencyKey of [old, young]) await merchant.post('/v1/payments', order, { idempotencyKey });
    const age = (hours: number, key: string) => gateway.database.rows(
      'update idempotency_keys set created_at = now() - make_interval(hours => $1) where key = $2', [hours, key],
    );
    await age(49, old);
    await age(47, young);
    await gateway.database.rows(
      `insert into idempotency_keys (client_id, livemode, route, key, fingerprint, status, body, created_at)
       select $1, false, 'POST /v1/payments', 'bulk ' || n, 'x', 200, '{}', now() - interval '3 days' from generate_series(1, 12000) n`,
      [merchant.credentials.clientId],
    );
    await gateway.app.get(CleanIdempotencyKeys).run();
    expect(await stored(old)).toEqual([]);
    expect(await stored(young)).toHaveLength(1);
    expect(await gateway.database.value(`select count(*)::int from idempotency_keys where key like 'bulk %'`)).toBe(0);
  });
});
