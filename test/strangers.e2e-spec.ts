import { randomUUID } from 'node:crypto';
import { anomalyParameter } from '../src/fraud/anomalies/new-anomaly';
import { type DeclaredRoute, PolicyRegistry } from '../src/platform/http/policy-registry';
import { fund } from './support/funds';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Merchant } from './support/merchant';
import { member, type TestPerson } from './support/people';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

/** Bodies of routes that refuse an empty one before they look for the object. */
const BODIES: Readonly<Record<string, object>> = {
  'PATCH /v1/anomalies/:id': { status: 'investigating' },
  'PATCH /v1/webhook-endpoints/:id': { events: ['*'] },
  'POST /v1/payments/:id/transactions': { hash: '0'.repeat(64) },
  'POST /v1/test/webhook-endpoints/:id/fail': { outcome: 'timeout' },
};

describe('the objects of somebody else', () => {
  let gateway: Gateway;
  let owner: Merchant;
  let routes: DeclaredRoute[];
  let objects: Readonly<Record<string, string>>;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    const client = await gateway.merchant({ live: true });
    owner = await anotherKey(gateway, client, { livemode: false });
    routes = gateway.app.get(PolicyRegistry).routes.filter(({ path, policy }) => path.includes('/:id') && policy.access === 'api_key');
    objects = await makeObjects(owner);
  });
  afterAll(() => gateway.stop());

  /** One object for each area of the API; a new area with routes by id adds its own here. */
  const makeObjects = async (of: Merchant) => {
    const endpoint = await of.post<{ id: string }>('/v1/webhook-endpoints', { url: 'http://127.0.0.1:18080/hook', events: ['*'] });
    expect(endpoint.body).toMatchObject({ id: expect.stringMatching(/^we_/) });
    const payment = await of.post<{ id: string }>('/v1/payments', order);
    const key = await of.post<{ id: string }>('/v1/api-keys', { name: 'theirs', scopes: ['payments:read'] });
    const destination = await of.post<{ id: string }>('/v1/destinations', { type: 'tron_address', address: 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE' });
    const paid = await of.post<{ id: string }>('/v1/payments', { ...order, currency: 'EUR' });
    await of.post(`/v1/test/payments/${paid.body.id}/pay`);
    // Of a currency without a rate: it waits for people, so nothing moves it meanwhile.
    const refund = await of.post<{ id: string }>('/v1/refunds', { payment: paid.body.id });
    await fund(gateway, of, 1_000_000n, 'USDT');
    const withdrawal = await of.post<{ id: string }>('/v1/withdrawals', { amount: '1', currency: 'USDT', destination: destination.body.id });
    const anomaly = await gateway.database.value<string>('select record_anomaly($1)', [anomalyParameter({
      clientId: of.credentials.clientId, livemode: false, kind: 'payments.velocity', severity: 'high', subjectType: 'payment', subjectId: payment.body.id,
      title: 'many payments',
    })]);
    const row = (table: string) => gateway.database.value<string>(`select id from ${table} where client_id = $1 limit 1`, [of.credentials.clientId]);
    return {
      payments: payment.body.id,
      anomalies: anomaly,
      'api-keys': key.body.id,
      'webhook-endpoints': endpoint.body.id,
      destinations: destination.body.id,
      refunds: refund.body.id,
      withdrawals: withdrawal.body.id,
      events: await row('events'),
      'webhook-deliveries': await row('webhook_deliveries'),
    };
  };
  const areaOf = ({ path }: DeclaredRoute) => path.replace('/v1/test/', '/v1/').split('/')[2];
  const nameOf = ({ method, path }: DeclaredRoute) => `${method} ${path}`;
  const ask = async (as: Merchant, route: DeclaredRoute) => {
    const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : (BODIES[nameOf(route)] ?? {});
    const idempotencyKey = route.method === 'POST' ? randomUUID() : undefined;
    const { status, body: answer } = await as.call(route.method, route.path.replace(':id', objects[areaOf(route)]), body, { idempotencyKey });
    return [nameOf(route), status, answer?.code];
  };
  const askByToken = async (as: TestPerson, route: DeclaredRoute, headers: Record<string, string> = {}) => {
    const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : (BODIES[nameOf(route)] ?? {});
    const { status, body: answer } = await as.call(route.method, route.path.replace(':id', objects[areaOf(route)]), body, headers);
    return [nameOf(route), status, answer?.code];
  };
  const everything = async (by: Merchant) => {
    const rows = await gateway.database.rows<{ all: string }>(
      `select coalesce(string_agg(t, ' ' order by t), '') as all from (
         select p::text as t from payments p where client_id = $1
         union all select (e.id || e.url || e.events::text || e.secret) from webhook_endpoints e where client_id = $1
         union all select d.id from webhook_deliveries d where client_id = $1
         union all select (t.id || coalesce(t.deleted_at::text, '')) from destinations t where client_id = $1
         union all select w::text from withdrawals w where client_id = $1
         union all select n::text from anomalies n where client_id = $1
         union all select r::text from refunds r where client_id = $1
         union all select (k.id || coalesce(k.revoked_at::text, '') || coalesce(k.replaced_by, '')) from api_keys k where client_id = $1
         union all select a.id from audit_events a where client_id = $1) as tables (t)`,
      [by.credentials.clientId],
    );
    return rows[0].all;
  };

  it('exist for this test in every area that has routes by id', () => {
    expect(routes.length).toBeGreaterThan(5);
    expect(routes.filter((route) => !objects[areaOf(route)]).map(nameOf)).toEqual([]);
  });

  it('are found by their owner', async () => {
    for (const route of routes.filter(({ method }) => method === 'GET')) expect(await ask(owner, route)).toEqual([nameOf(route), 200, undefined]);
  });

  it('are not found by another client, by no route, and stay as they are', async () => {
    const stranger = await gateway.merchant();
    const before = await everything(owner);
    for (const route of routes) expect(await ask(stranger, route)).toEqual([nameOf(route), 404, 'not_found']);
    expect(await everything(owner)).toBe(before);
  });

  it('are not found in the other mode of the same client', async () => {
    const live = await anotherKey(gateway, owner, { livemode: true });
    const before = await everything(owner);
    for (const route of routes) expect(await ask(live, route)).toEqual([nameOf(route), 404, 'not_found']);
    expect(await everything(owner)).toBe(before);
  });

  it('are not found by the people of another client, nor by their own in the other mode', async () => {
    const open = routes.filter(({ policy }) => policy.roles);
    expect(open.length).toBeGreaterThan(5);
    const foreigner = await member(gateway, await gateway.merchant({ live: true }), 'owner');
    const own = await member(gateway, owner, 'owner');
    const before = await everything(owner);
    for (const route of open) {
      expect(await askByToken(foreigner, route)).toEqual([nameOf(route), 404, 'not_found']);
      expect(await askByToken(own, route, { 'x-livemode': 'true' })).toEqual([nameOf(route), 404, 'not_found']);
    }
    expect(await everything(owner)).toBe(before);
    for (const route of open.filter(({ method }) => method === 'GET')) expect(await askByToken(own, route)).toEqual([nameOf(route), 200, undefined]);
  });

  it('are in no list of others', async () => {
    const stranger = await gateway.merchant();
    const live = await anotherKey(gateway, owner, { livemode: true });
    const foreigner = await member(gateway, stranger, 'owner');
    const lists = [...new Set(routes.filter(({ method, path }) => method === 'GET' && path.endsWith('/:id')).map(({ path }) => path.slice(0, -4)))];
    expect(lists.length).toBeGreaterThan(1);
    for (const list of lists) {
      for (const reader of [stranger, live, foreigner]) {
        const { status, text } = await reader.get(`${list}?limit=100`);
        expect([list, status]).toEqual([list, 200]);
        for (const id of Object.values(objects)) expect(text).not.toContain(id);
      }
    }
  });

  it('look the same as objects that never were', async () => {
    const stranger = await gateway.merchant();
    const theirs = await stranger.get(`/v1/payments/${objects.payments}`);
    const nobodys = await stranger.get(`/v1/payments/pay_${'0'.repeat(32)}`);
    const shape = ({ body }: typeof theirs) => ({ ...body, request_id: '' });
    expect(shape(theirs)).toEqual(shape(nobodys));
  });

  it('cannot be pointed to by a cursor', async () => {
    const stranger = await gateway.merchant();
    const own = await stranger.post<{ id: string }>('/v1/payments', order);
    const page = await stranger.get<{ data: { id: string }[] }>(`/v1/payments?ending_before=${objects.payments}`);
    expect(page.body.data.map(({ id }) => id)).toEqual([own.body.id]);
  });
});
