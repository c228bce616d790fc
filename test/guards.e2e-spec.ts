import { createHash, randomUUID } from 'node:crypto';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import { type Answer, type Merchant, signatureOf } from './support/merchant';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const codeOf = ({ status, body }: Answer) => [status, body?.code];

describe('the guards', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  describe('authentication', () => {
    it('lets a known key in', async () => {
      expect((await merchant.get('/v1/payments')).status).toBe(200);
    });

    it.each<[string, (headers: Record<string, string>) => void]>([
      ['no key', (headers) => delete headers['x-api-key']],
      ['an empty key', (headers) => void (headers['x-api-key'] = '')],
      ['a malformed key', (headers) => void (headers['x-api-key'] = 'let me in')],
      ['an unknown key', (headers) => void (headers['x-api-key'] = `cpg_test_${'a'.repeat(40)}`)],
      ['a key with another tail', (headers) => void (headers['x-api-key'] = `${headers['x-api-key'].slice(0, -5)}00000`)],
      ['a key of the other mode', (headers) => void (headers['x-api-key'] = headers['x-api-key'].replace('test', 'live'))],
      ['a key with a tail of junk', (headers) => void (headers['x-api-key'] += 'a')],
      ['two keys', (headers) => void (headers['x-api-key'] += `, ${headers['x-api-key']}`)],
    ])('refuses %s', async (_what, tamper) => {
      expect(codeOf(await merchant.get('/v1/payments', { tamper }))).toEqual([401, 'unauthenticated']);
      expect(codeOf(await merchant.post('/v1/payments', order, { tamper }))).toEqual([401, 'unauthenticated']);
    });

    it('refuses a revoked key and one whose time is over', async () => {
      const revoked = await anotherKey(gateway, merchant);
      const expired = await anotherKey(gateway, merchant, { expiresAt: new Date(Date.now() - 1) });
      const lasting = await anotherKey(gateway, merchant, { expiresAt: new Date(Date.now() + 60_000) });
      await gateway.database.rows('update api_keys set revoked_at = now(), revision = revision + 1 where id = $1', [revoked.credentials.keyId]);
      expect(codeOf(await revoked.get('/v1/payments'))).toEqual([401, 'unauthenticated']);
      expect(codeOf(await expired.get('/v1/payments'))).toEqual([401, 'unauthenticated']);
      expect((await lasting.get('/v1/payments')).status).toBe(200);
    });

    it.each(['suspended', 'closed'])('refuses the keys of a client that is %s', async (status) => {
      const other = await gateway.merchant();
      expect((await other.get('/v1/payments')).status).toBe(200);
      await gateway.database.rows('update clients set status = $2, revision = revision + 1 where id = $1', [other.credentials.clientId, status]);
      expect(codeOf(await other.post('/v1/payments', order))).toEqual([403, 'client_inactive']);
      await eventually(async () => (await other.get('/v1/payments')).status === 403, 4_000);
    });

    it('refuses live keys of a client that is not live yet', async () => {
      const live = await gateway.merchant({ live: true });
      expect((await live.get('/v1/payments')).status).toBe(200);
      const early = await anotherKey(gateway, merchant, { livemode: true });
      expect(codeOf(await early.get('/v1/payments'))).toEqual([403, 'client_inactive']);
    });

    it('keeps to the addresses that a key allows', async () => {
      const here = await anotherKey(gateway, merchant, { allowedIps: ['203.0.113.7', '127.0.0.0/8'] });
      const elsewhere = await anotherKey(gateway, merchant, { allowedIps: ['203.0.113.0/24', '2001:db8::/32'] });
      expect((await here.get('/v1/payments')).status).toBe(200);
      expect(codeOf(await elsewhere.get('/v1/payments'))).toEqual([403, 'ip_not_allowed']);
      const pretending = await elsewhere.get('/v1/payments', { headers: { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' } });
      expect(codeOf(pretending)).toEqual([403, 'ip_not_allowed']);
    });

    it('believes a forwarded address from a trusted proxy only', async () => {
      const behindProxy = await Gateway.start({ database: gateway.database, environment: { TRUSTED_PROXIES: '127.0.0.1' } });
      const elsewhere = await anotherKey(gateway, merchant, { allowedIps: ['203.0.113.0/24'] });
      const there = elsewhere.with({ url: behindProxy.url });
      expect((await there.get('/v1/payments', { headers: { 'x-forwarded-for': '203.0.113.7' } })).status).toBe(200);
      expect((await there.get('/v1/payments', { headers: { 'x-forwarded-for': '203.0.113.7, 198.51.100.1' } })).status).toBe(403);
      await behindProxy.stop();
    });
  });

  describe('scopes and modes', () => {
    it('lets a key do what its scopes say and nothing else', async () => {
      const reader = await anotherKey(gateway, merchant, { scopes: ['payments:read'] });
      expect((await reader.get('/v1/payments')).status).toBe(200);
      const refused = await reader.post('/v1/payments', order);
      expect(codeOf(refused)).toEqual([403, 'scope_missing']);
      expect(refused.body.detail).toContain('payments:write');
      expect(codeOf(await reader.get('/v1/api-keys'))).toEqual([403, 'scope_missing']);
    });

    it('hides the test routes from live keys', async () => {
      const live = await gateway.merchant({ live: true });
      const { body } = await merchant.post('/v1/payments', order);
      expect(codeOf(await live.post(`/v1/test/payments/${body.id}/pay`, {}))).toEqual([404, 'not_found']);
      expect((await merchant.post(`/v1/test/payments/${body.id}/pay`, {})).status).toBe(200);
    });
  });

  describe('signatures', () => {
    const sent = { method: 'POST', path: '/v1/payments', body: JSON.stringify(order) };
    type Lines = Parameters<typeof signatureOf>[1];

    /** Signs one thing and sends another. */
    const post = (signed: Partial<Lines>, more: { secret?: string; change?: (headers: Record<string, string>) => void } = {}) =>
      merchant.post(sent.path, order, {
        tamper: (headers) => {
          const lines = { timestamp: headers['x-timestamp'], idempotencyKey: headers['idempotency-key'], ...sent, ...signed };
          headers['x-signature'] = signatureOf(more.secret ?? merchant.credentials.signingSecret, lines);
          more.change?.(headers);
        },
      });

    it('lets in what is signed as it is sent', async () => {
      expect((await post({})).status).toBe(201);
    });

    it.each<[string, Partial<Lines>]>([
      ['another method', { method: 'PATCH' }],
      ['the method in lower case', { method: 'post' }],
      ['another path', { path: '/v1/payments/' }],
      ['a query', { path: '/v1/payments?a=1' }],
      ['another idempotency key', { idempotencyKey: randomUUID() }],
      ['no idempotency key', { idempotencyKey: '' }],
      ['another body', { body: JSON.stringify({ ...order, amount: '26.00' }) }],
      ['the same body with a space', { body: `${sent.body} ` }],
      ['no body', { body: '' }],
      ['another time', { timestamp: String(Math.floor(Date.now() / 1000) - 10) }],
    ])('refuses a signature over %s', async (_what, signed) => {
      expect(codeOf(await post(signed))).toEqual([401, 'signature_invalid']);
    });

    it('refuses a signature moved to a path with a query', async () => {
      const moved = await merchant.post('/v1/payments?x=1', order, {
        tamper: (headers) => {
          const lines = { timestamp: headers['x-timestamp'], idempotencyKey: headers['idempotency-key'], ...sent };
          headers['x-signature'] = signatureOf(merchant.credentials.signingSecret, lines);
        },
      });
      expect(codeOf(moved)).toEqual([401, 'signature_invalid']);
    });

    it('refuses the secret of another key', async () => {
      const other = await gateway.merchant();
      expect(codeOf(await post({}, { secret: other.credentials.signingSecret }))).toEqual([401, 'signature_invalid']);
    });

    const flipped = (hex: string) => hex.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    it.each<[string, (headers: Record<string, string>) => void]>([
      ['is missing', (headers) => delete headers['x-signature']],
      ['has no time', (headers) => delete headers['x-timestamp']],
      ['is empty', (headers) => void (headers['x-signature'] = '')],
      ['has no version', (headers) => void (headers['x-signature'] = headers['x-signature'].slice(3))],
      ['has another version', (headers) => void (headers['x-signature'] = headers['x-signature'].replace('v1', 'v2'))],
      ['has one bit flipped', (headers) => void (headers['x-signature'] = flipped(headers['x-signature']))],
      ['is in upper case', (headers) => void (headers['x-signature'] = `v1=${headers['x-signature'].slice(3).toUpperCase()}`)],
      ['has a tail of junk', (headers) => void (headers['x-signature'] += 'zz')],
      ['has a tail of hex', (headers) => void (headers['x-signature'] += '00')],
      ['is too short', (headers) => void (headers['x-signature'] = headers['x-signature'].slice(0, -1))],
      ['is sent twice', (headers) => void (headers['x-signature'] += `, ${headers['x-signature']}`)],
      ['has a time that is no number', (headers) => void (headers['x-timestamp'] = 'now')],
      ['has a time with a sign', (headers) => void (headers['x-timestamp'] = `+${headers['x-timestamp']}`)],
      ['has a time in milliseconds', (headers) => void (headers['x-timestamp'] += '000')],
    ])('refuses a signature that %s', async (_what, change) => {
      expect(codeOf(await post({}, { change }))).toEqual([401, 'signature_invalid']);
    });

    it.each([-301, 302])('refuses one that is %i seconds from now', async (seconds) => {
      // Whole seconds are signed, so 301 of them in the future may be less than 300 by the time that they arrive.
      const timestamp = Math.floor(Date.now() / 1000) + seconds;
      expect(codeOf(await merchant.post('/v1/payments', order, { timestamp }))).toEqual([401, 'signature_expired']);
    });

    it.each([-290, 290])('takes one that is %i seconds from now', async (seconds) => {
      expect((await merchant.post('/v1/payments', order, { timestamp: Math.floor(Date.now() / 1000) + seconds })).status).toBe(201);
    });

    it('signs bytes: another way to write the same JSON is another body', async () => {
      const raw = '{ "amount":"25.00", "currency":"USD","method":"simulated"}';
      expect((await merchant.post('/v1/payments', undefined, { raw })).status).toBe(201);
    });

    it('asks for no signature where nothing changes', async () => {
      const bad = { headers: { 'x-signature': 'nonsense', 'x-timestamp': '0' } };
      expect((await merchant.get('/v1/payments', bad)).status).toBe(200);
    });
  });

  describe('a signed call sent again', () => {
    const again = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
      const response = await fetch(gateway.url + path, { method, headers, body });
      return { status: response.status, replayed: response.headers.get('idempotency-replayed'), text: await response.text() };
    };
    const changes = () => gateway.database.value<number>('select count(*)::int from audit_events');

    it('POST: answers as it did and does nothing', async () => {
      const seen: Record<string, string> = {};
      const first = await merchant.post('/v1/payments', order, { tamper: (headers) => Object.assign(seen, headers) });
      const before = await changes();
      const replay = await again('POST', '/v1/payments', seen, JSON.stringify(order));
      expect(replay).toEqual({ status: 201, replayed: 'true', text: first.text });
      expect(first.headers.has('idempotency-replayed')).toBe(false);
      expect(await changes()).toBe(before);
    });

    it('DELETE: answers without a body and does nothing', async () => {
      const doomed = await anotherKey(gateway, merchant);
      const path = `/v1/api-keys/${doomed.credentials.keyId}`;
      const seen: Record<string, string> = {};
      const first = await merchant.call('DELETE', path, undefined, { tamper: (headers) => Object.assign(seen, headers) });
      expect([first.status, first.text]).toEqual([204, '']);
      const before = await changes();
      expect(await again('DELETE', path, seen)).toEqual({ status: 204, replayed: 'true', text: '' });
      const bare = await fetch(gateway.url + path, { method: 'DELETE', headers: seen });
      expect([bare.headers.get('content-type'), bare.headers.get('content-length')]).toEqual([null, null]);
      expect(await changes()).toBe(before);
    });

    it('PATCH: does not bring back a setting that has been changed since', async () => {
      const path = '/v1/client/settings';
      const credit = { payment_rules: { underpaid: 'credit' } };
      const seen: Record<string, string> = {};
      const first = await merchant.call('PATCH', path, credit, { tamper: (headers) => Object.assign(seen, headers) });
      expect(first.body).toMatchObject(credit);
      await merchant.call('PATCH', path, { payment_rules: { underpaid: 'refund' } });
      expect(await again('PATCH', path, seen, JSON.stringify(credit))).toEqual({ status: 200, replayed: 'true', text: first.text });
      expect((await merchant.get(path)).body).toMatchObject({ payment_rules: { underpaid: 'refund' } });
    });
  });

  describe('a key revoked through another instance', () => {
    it('changes nothing from then on, and reads nothing after two seconds', async () => {
      const second = await Gateway.start({ database: gateway.database, environment: { RATE_LIMITING_ENABLED: 'false' } });
      const doomed = (await anotherKey(gateway, merchant)).with({ url: second.url });
      expect((await doomed.get('/v1/payments')).status).toBe(200);
      expect((await doomed.post('/v1/payments', order)).status).toBe(201);
      expect((await merchant.call('DELETE', `/v1/api-keys/${doomed.credentials.keyId}`, undefined)).status).toBe(204);
      const revokedAt = performance.now();
      expect(codeOf(await doomed.post('/v1/payments', order))).toEqual([401, 'unauthenticated']);
      expect(codeOf(await doomed.call('DELETE', `/v1/api-keys/${merchant.credentials.keyId}`, undefined))).toEqual([401, 'unauthenticated']);
      await eventually(async () => (await doomed.get('/v1/payments')).status === 401, 4_000);
      expect(performance.now() - revokedAt).toBeLessThan(2_500);
      await second.stop();
    });

    it('sees changed settings at once in what it changes', async () => {
      const second = await Gateway.start({ database: gateway.database, environment: { RATE_LIMITING_ENABLED: 'false' } });
      const there = merchant.with({ url: second.url });
      await there.get('/v1/payments');
      await merchant.call('PATCH', '/v1/client/settings', { payment_rules: { overpaid: 'refund' } });
      expect((await there.post('/v1/payments', order)).status).toBe(201);
      await second.stop();
    });
  });

  it('hashes keys and seals signing secrets', async () => {
    const { apiKey, signingSecret, keyId } = merchant.credentials;
    const [row] = await gateway.database.rows<{ key_hash: string; row: string }>(
      'select key_hash, k::text as row from api_keys k where id = $1', [keyId],
    );
    expect(row.key_hash).toBe(createHash('sha256').update(apiKey).digest('hex'));
    expect(row.row).not.toContain(apiKey);
    expect(row.row).not.toContain(signingSecret);
  });
});
