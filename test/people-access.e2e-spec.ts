import { randomUUID } from 'node:crypto';
import { PolicyRegistry } from '../src/platform/http/policy-registry';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { member, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const LIVE = { 'x-livemode': 'true' };
const endpoint = { url: 'http://127.0.0.1:18080/hook', events: ['*'] };
const newKey = { name: 'made by hand', scopes: ['payments:read'] };
const idsOf = ({ body }: Answer<unknown>) => (body as { data: { id: string }[] }).data.map(({ id }) => id);
const codeOf = ({ status, body }: Answer<unknown>) => [status, (body as { code?: string } | undefined)?.code];

describe('the people of a client', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let payment: string;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    const live = await gateway.merchant({ live: true });
    merchant = await anotherKey(gateway, live, { livemode: false });
    payment = (await merchant.post<{ id: string }>('/v1/payments', order)).body.id;
  });
  afterAll(() => gateway.stop());

  const path = (pattern: string) => pattern.replace(':id', payment);
  const openReads = () => gateway.app.get(PolicyRegistry).routes
    .filter(({ method, policy }) => method === 'GET' && policy.access === 'api_key');

  it('are let in by every read that keys have', () => {
    expect(openReads().length).toBeGreaterThan(15);
    for (const { path: route, policy } of openReads()) expect([route, policy.roles]).toEqual([route, ['owner', 'developer', 'viewer']]);
  });

  it('may send no route that moves money an access token', async () => {
    const closed = gateway.app.get(PolicyRegistry).routes
      .filter(({ method, policy }) => method !== 'GET' && policy.access === 'api_key' && policy.scope === 'payments:write');
    expect(closed.length).toBeGreaterThan(2);
    const owner = await member(gateway, merchant, 'owner');
    for (const { method, path: route } of closed) expectProblem(await owner.call(method, path(route), order), 403, 'forbidden');
  });

  it.each(['owner', 'developer', 'viewer'] as const)('read as %s what the keys read', async (role) => {
    const person = await member(gateway, merchant, role);
    const reads = openReads().filter(({ path: route }) => !route.includes(':id') || route.startsWith('/v1/payments'));
    for (const { path: route } of reads) expect([route, (await person.get(path(route))).status]).toEqual([route, 200]);
    expect((await person.get(`/v1/payments/${payment}`)).body).toEqual((await merchant.get(`/v1/payments/${payment}`)).body);
  });

  it('see the test book unless they ask for the live one', async () => {
    const person = await member(gateway, merchant, 'viewer');
    expect(idsOf(await person.get('/v1/payments'))).toContain(payment);
    expect(idsOf(await person.get('/v1/payments', { 'x-livemode': 'false' }))).toContain(payment);
    expect(idsOf(await person.get('/v1/payments', LIVE))).toEqual([]);
    expectProblem(await person.get(`/v1/payments/${payment}`, LIVE), 404, 'not_found');
    expect((await person.get('/v1/client', LIVE)).body).toMatchObject({ livemode: true });
    expectProblem(await person.get('/v1/payments', { 'x-livemode': 'yes' }), 400, 'malformed_request');
  });

  it('do not see a live book that is not open', async () => {
    const person = await member(gateway, await gateway.merchant(), 'owner');
    expectProblem(await person.get('/v1/payments', LIVE), 403, 'client_inactive');
    expect((await person.get('/v1/payments')).status).toBe(200);
  });

  it.each(['owner', 'developer'] as const)('change as %s settings, keys and endpoints, in the book they chose', async (role) => {
    const person = await member(gateway, merchant, role);
    const key = await person.post<{ id: string; livemode: boolean }>('/v1/api-keys', newKey, LIVE);
    expect([key.status, key.body.livemode]).toEqual([201, true]);
    expectProblem(await person.call('DELETE', `/v1/api-keys/${key.body.id}`), 404, 'not_found');
    expect((await person.post(`/v1/api-keys/${key.body.id}/rotate`, {}, LIVE)).status).toBe(201);
    expect((await person.call('DELETE', `/v1/api-keys/${key.body.id}`, undefined, LIVE)).status).toBe(204);
    expect((await person.call('PATCH', '/v1/client/settings', { payment_rules: { late: 'queue' } })).status).toBe(200);
    const made = await person.post<{ id: string }>('/v1/webhook-endpoints', endpoint);
    expect(made.status).toBe(201);
    expect((await person.post(`/v1/webhook-endpoints/${made.body.id}/rotate-secret`)).status).toBe(200);
    const sent = await person.post<{ id: string }>(`/v1/webhook-endpoints/${made.body.id}/test`);
    expect((await person.post(`/v1/events/${sent.body.id}/redeliver`)).status).toBe(200);
    expect((await person.call('DELETE', `/v1/webhook-endpoints/${made.body.id}`)).status).toBe(204);
    const written = await gateway.database.rows('select actor_type, actor_id from audit_events where object_id = $1', [key.body.id]);
    expect(written).toEqual(Array.from({ length: 3 }, () => ({ actor_type: 'person', actor_id: person.id })));
  });

  it('change nothing as viewer', async () => {
    const person = await member(gateway, merchant, 'viewer');
    const before = await gateway.database.value('select count(*)::int from audit_events');
    const calls: [string, string, object | undefined][] = [
      ['POST', '/v1/api-keys', newKey], ['DELETE', `/v1/api-keys/${merchant.credentials.keyId}`, undefined],
      ['PATCH', '/v1/client', { name: 'Mine' }], ['PATCH', '/v1/client/settings', {}], ['PATCH', '/v1/client/branding', {}],
      ['POST', '/v1/webhook-endpoints', endpoint],
    ];
    for (const [method, route, body] of calls) expectProblem(await person.call(method, route, body), 403, 'forbidden');
    expect(await gateway.database.value('select count(*)::int from audit_events')).toBe(before);
  });

  it('are let in by a key or a token, not by both', async () => {
    const person = await member(gateway, merchant, 'owner');
    expectProblem(await person.get('/v1/payments', { 'x-api-key': merchant.credentials.apiKey }), 401, 'unauthenticated');
  });

  it('are not staff', async () => {
    expectProblem(await (await staff(gateway, 'admin')).get('/v1/payments'), 403, 'forbidden');
    expectProblem(await (await member(gateway, merchant, 'owner')).get('/v1/admin/clients'), 403, 'forbidden');
  });

  it('need no idempotency key; with one they get the stored answer', async () => {
    const person = await member(gateway, merchant, 'owner');
    const headers = { 'idempotency-key': randomUUID() };
    const first = await person.post<{ id: string }>('/v1/webhook-endpoints', endpoint, headers);
    const again = await person.post('/v1/webhook-endpoints', endpoint, headers);
    expect([again.status, again.headers.get('idempotency-replayed'), again.body]).toEqual([201, 'true', first.body]);
    expectProblem(await person.post('/v1/webhook-endpoints', { ...endpoint, events: ['payment.*'] }, headers), 422, 'idempotency_mismatch');
    expectProblem(await person.post('/v1/webhook-endpoints', endpoint, { 'idempotency-key': 'a b' }), 400, 'idempotency_key_invalid');
    expect(idsOf(await person.get('/v1/webhook-endpoints')).filter((id) => id === first.body.id)).toHaveLength(1);
    expect((await person.call('DELETE', `/v1/webhook-endpoints/${first.body.id}`)).status).toBe(204);
  });

  it('who have a second factor need it fresh for keys and secrets', async () => {
    const person = await member(gateway, merchant, 'owner', { twoFactor: true, fresh: false });
    expect((await person.get('/v1/api-keys')).status).toBe(200);
    expectProblem(await person.post('/v1/api-keys', newKey), 403, 'two_factor_required');
    expectProblem(await person.call('DELETE', `/v1/api-keys/${merchant.credentials.keyId}`), 403, 'two_factor_required');
    expectProblem(await person.post('/v1/api-keys', newKey, { 'x-totp-code': '000000' }), 403, 'two_factor_invalid');
    expect((await person.post('/v1/api-keys', newKey, { 'x-totp-code': await person.code() })).status).toBe(201);
    expect((await person.post('/v1/api-keys', newKey)).status).toBe(201);
  });

  describe('lose what they lose at once', () => {
    let second: Gateway;

    beforeAll(async () => {
      second = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' }, database: gateway.database });
    });
    afterAll(() => second.stop());

    /** Reads on both instances first, so that both remember the person as they were. */
    const known = async (): Promise<TestPerson[]> => {
      const person = await member(gateway, merchant, 'owner');
      const everywhere = [person, person.with({ url: second.url })];
      for (const at of everywhere) expect((await at.get('/v1/payments')).status).toBe(200);
      return everywhere;
    };
    const change = (person: TestPerson) => person.call('PATCH', '/v1/client/settings', { payment_rules: { late: 'credit_locked' } });

    it.each<[string, string, number, string]>([
      ['their role', `update people set role = 'viewer', revision = revision + 1 where id = $1`, 403, 'forbidden'],
      ['their session', 'update sessions set revoked_at = now() where person_id = $1', 401, 'unauthenticated'],
      ['their account', `update people set status = 'removed', revision = revision + 1 where id = $1`, 401, 'unauthenticated'],
    ])('%s, on every instance', async (_what, sql, status, code) => {
      const everywhere = await known();
      await gateway.database.rows(sql, [everywhere[0].id]);
      for (const at of everywhere) expectProblem(await change(at), status, code);
    });

    it('for reads within two seconds', async () => {
      const everywhere = await known();
      await gateway.database.rows('update sessions set revoked_at = now() where person_id = $1', [everywhere[0].id]);
      for (const at of everywhere) await eventually(async () => (await at.get('/v1/payments')).status === 401, 2_500);
    });

    it('when their client is suspended', async () => {
      const other = await gateway.merchant();
      const person = await member(gateway, other, 'owner');
      const everywhere = [person, person.with({ url: second.url })];
      for (const at of everywhere) expect((await at.get('/v1/payments')).status).toBe(200);
      await gateway.database.rows(`update clients set status = 'suspended', revision = revision + 1 where id = $1`, [other.credentials.clientId]);
      for (const at of everywhere) expectProblem(await change(at), 403, 'client_inactive');
      for (const at of everywhere) await eventually(async () => codeOf(await at.get('/v1/payments'))[1] === 'client_inactive', 2_500);
    });
  });
});
