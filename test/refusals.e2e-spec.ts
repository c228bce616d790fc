import { SecurityLog } from '../src/audit/security-log';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Merchant } from './support/merchant';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const CARD = '4242424242424242';

describe('the log of refusals', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  const log: string[] = [];

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' }, log });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const events = (source: string) => gateway.database.rows<{ kind: string; count: string; severity: string; action: string; client_id: string }>(
    'select kind, count, severity, action, client_id, actor_id, route, request_id, api_version, details from security_events where source = $1 order by id', [source],
  );

  it('has a refusal before the caller has its answer', async () => {
    const answer = await merchant.post('/v1/payments', order, { tamper: (headers) => void (headers['x-signature'] = `v1=${'0'.repeat(64)}`) });
    const { keyId, clientId } = merchant.credentials;
    expect(await events(keyId)).toEqual([{
      kind: 'signature.invalid', count: '1', severity: 'high', action: 'refused with 401 signature_invalid', client_id: clientId, actor_id: keyId,
      route: 'POST /v1/payments', request_id: answer.headers.get('x-request-id'), api_version: 'v1', details: { ip: '127.0.0.1' },
    }]);
  });

  it('counts a hundred more in rows of a minute, not in a hundred rows', async () => {
    const reader = await anotherKey(gateway, merchant, { scopes: ['payments:read'] });
    for (let call = 0; call < 101; call += 1) expect((await reader.post('/v1/payments', order)).status).toBe(403);
    const counted = await eventually(async () => {
      const rows = await events(reader.credentials.keyId);
      return rows.reduce((sum, { count }) => sum + Number(count), 0) === 101 && rows;
    });
    // The minute may have turned while we asked.
    expect(counted.length).toBeLessThanOrEqual(2);
    expect(counted[0]).toMatchObject({ kind: 'scope.missing', severity: 'low' });
  });

  it('adds up what two instances refuse', async () => {
    const second = await Gateway.start({ database: gateway.database, environment: { RATE_LIMITING_ENABLED: 'false' } });
    const reader = await anotherKey(gateway, merchant, { scopes: ['payments:read'] });
    for (let call = 0; call < 5; call += 1) for (const { url } of [gateway, second]) await reader.with({ url }).post('/v1/payments', order);
    await second.stop();
    await eventually(async () => (await events(reader.credentials.keyId)).reduce((sum, { count }) => sum + Number(count), 0) === 10);
  });

  it('adds up also what comes while an instance that ends is still adding what came before', async () => {
    const ending = await Gateway.start({ database: gateway.database, environment: { RATE_LIMITING_ENABLED: 'false' } });
    const reader = (await anotherKey(gateway, merchant, { scopes: ['payments:read'] })).with({ url: ending.url });
    const refuse = async (times: number) => {
      for (let call = 0; call < times; call += 1) expect((await reader.post('/v1/payments', order)).status).toBe(403);
    };
    await refuse(2);
    const holder = await gateway.database.pool.connect();
    try {
      await holder.query('begin');
      await holder.query('select from security_events where source = $1 for update', [reader.credentials.keyId]);
      await eventually(() => gateway.database.value<boolean>(`select exists (
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%update security_events%')`));
      await refuse(3);
      const flushing = jest.spyOn(ending.app.get(SecurityLog, { strict: false }), 'beforeApplicationShutdown');
      const ended = ending.stop();
      await eventually(() => flushing.mock.calls.length > 0);
      await holder.query('commit');
      await ended;
    } finally {
      holder.release();
    }
    const counts = (await events(reader.credentials.keyId)).map(({ count }) => Number(count));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  it('keeps no honest mistakes', async () => {
    await merchant.post('/v1/payments', {});
    await merchant.get(`/v1/payments/pay_${'0'.repeat(32)}`);
    await merchant.post('/v1/payments', undefined, { raw: '{' });
    expect(await events(merchant.credentials.keyId)).toEqual([]);
  });

  it('holds nothing that was planted in requests, and neither does the process log or the audit log', async () => {
    const { apiKey, signingSecret } = merchant.credentials;
    const planted = [apiKey, CARD, signingSecret];
    for (const secret of planted) {
      const headers = { 'user-agent': secret, 'x-request-id': secret, referer: `https://shop.example/?key=${secret}`, 'x-forwarded-for': secret, cookie: secret };
      await merchant.get(`/v1/payments/${secret}`, { headers });
      await merchant.get(`/v1/payments?customer=${secret}&${secret}=1`, { headers });
      await merchant.get(`/v1/${secret}`, { headers });
      await merchant.get(`/v1/${secret}/%zz`, { headers });
      await merchant.get('/v1/payments', { headers, tamper: (sent) => void (sent['x-api-key'] = secret) });
      await merchant.post('/v1/payments', { ...order, [secret]: secret }, { headers });
      await merchant.post('/v1/payments', { ...order, amount: secret, payer: { [secret]: secret } }, { headers });
      await merchant.post('/v1/payments', undefined, { headers, raw: `{"${secret}` });
      await merchant.post('/v1/payments', order, { headers, tamper: (sent) => void (sent['x-signature'] = secret) });
      await merchant.post('/v1/payments', order, { headers, idempotencyKey: `${secret} ` });
      await merchant.call(secret.slice(0, 5), '/v1/payments', undefined, { headers }).catch(() => undefined);
      await merchant.call('PATCH', '/v1/client/settings', { [secret]: { [secret]: secret } }, { headers });
    }
    // What is accepted is kept where it belongs, but never in clear in a log.
    for (const secret of planted) {
      expect((await merchant.post('/v1/payments', order, { headers: { 'user-agent': secret } })).status).toBe(201);
      const key = { name: secret, scopes: ['payments:read'] };
      const { status } = await merchant.post('/v1/api-keys', key, { headers: { 'user-agent': secret } });
      expect(status).toBe(secret === CARD ? 422 : 201);
    }
    const lines = log.join('');
    expect(lines).toContain('"answered"');
    for (const table of ['audit_events', 'security_events']) {
      const kept = await gateway.database.value<string>(`select string_agg(t::text, ' ') from ${table} t`);
      expect(kept.length).toBeGreaterThan(100);
      for (const secret of planted) expect([table, kept.includes(secret)]).toEqual([table, false]);
    }
    for (const secret of planted) expect(log.filter((line) => line.includes(secret))).toEqual([]);
  });

  it('is not forged by what callers write: one answer, one line', async () => {
    const before = log.length;
    await merchant.get('/v1/payments?customer=%0a%7B%22level%22%3A30%7D', { headers: { 'user-agent': 'a\tb' } });
    const written = log.slice(before).filter((line) => line.includes('"answered"'));
    expect(written).toHaveLength(1);
    expect(written[0].trimEnd()).not.toContain('\n');
  });
});
