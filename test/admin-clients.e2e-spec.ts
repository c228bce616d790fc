import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { member, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

interface ClientObject extends Record<string, unknown> {
  id: string;
  status: string;
  fee_bps: number;
}
interface Page<T> {
  data: T[];
  has_more: boolean;
}
interface Change {
  id: string;
  kind: string;
  livemode: boolean | null;
  actor: { type: string; id: string | null };
  ip: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

const order = { amount: '100.00', currency: 'USD', method: 'simulated' };
const path = '/v1/admin/clients';
const nobody = `cli_${'0'.repeat(32)}`;

describe('clients, for staff', () => {
  let gateway: Gateway;
  let admin: TestPerson;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    admin = await staff(gateway, 'admin');
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ name: 'Quinn Books' });
  });
  afterAll(() => gateway.stop());

  const idOf = (of: Merchant) => of.credentials.clientId;
  const change = (body: object, by = admin, of = merchant) => by.call<ClientObject>('PATCH', `${path}/${idOf(of)}`, body);
  const history = (by = admin) => by.get<Page<Change>>(`${path}/${idOf(merchant)}/history`);
  /** Without their order: a client and its first key may be made within one millisecond. */
  const kindsOf = (changes: Change[]) => changes.map(({ kind }) => kind).sort();
  const fieldsOf = ({ status, body }: Answer<unknown>) => [status, (body as { errors?: { field: string }[] }).errors?.map(({ field }) => field)];

  it('are created without keys', async () => {
    const { status, body } = await admin.post<ClientObject>(path, { name: 'New & Co', fee_bps: 250, live_enabled: true });
    expect([status, body]).toEqual([201, {
      id: expect.stringMatching(/^cli_[0-9a-f]{32}$/), object: 'client', name: 'New & Co', status: 'active', live_enabled: true, fee_bps: 250,
      rate_multiplier: 1, created_at: expect.any(String), updated_at: expect.any(String),
    }]);
    expect(await gateway.database.value('select count(*)::int from api_keys where client_id = $1', [body.id])).toBe(0);
    expect((await admin.get(`${path}/${body.id}`)).body).toEqual(body);
    const events = await gateway.database.rows('select kind, actor_id, before, after from audit_events where object_id = $1', [body.id]);
    expect(events).toEqual([{ kind: 'client.created', actor_id: admin.id, before: null, after: body }]);
  });

  it.each<[object, string[]]>([
    [{}, ['name']], [{ name: '' }, ['name']], [{ name: 'a\nb' }, ['name']], [{ name: 'A', fee_bps: 10_001 }, ['fee_bps']],
    [{ name: 'A', fee_bps: 1.5 }, ['fee_bps']], [{ name: 'A', rate_multiplier: 0 }, ['rate_multiplier']], [{ name: 'A', id: nobody }, ['id']],
  ])('are not created from %j', async (body, fields) => {
    expect(fieldsOf(await admin.post(path, body))).toEqual([422, fields]);
  });

  it('are listed newest first, by status', async () => {
    const [older, newer] = [await gateway.merchant(), await gateway.merchant()];
    expect((await change({ status: 'suspended', reason: 'papers are missing' }, admin, newer)).status).toBe(200);
    const all = await admin.get<Page<ClientObject>>(`${path}?limit=2`);
    expect([all.body.data.map(({ id }) => id), all.body.has_more]).toEqual([[idOf(newer), idOf(older)], true]);
    const next = await admin.get<Page<ClientObject>>(`${path}?limit=1&starting_after=${idOf(older)}`);
    expect(next.body.data.map(({ id }) => id)).toEqual([idOf(merchant)]);
    const suspended = await admin.get<Page<ClientObject>>(`${path}?status=suspended&limit=1`);
    expect(suspended.body.data.map(({ id, status }) => [id, status])).toEqual([[idOf(newer), 'suspended']]);
    expect(fieldsOf(await admin.get(`${path}?status=gone`))).toEqual([422, ['status']]);
  });

  it('get new terms that hold for the very next payment', async () => {
    expect((await merchant.post('/v1/payments', order)).status).toBe(201);
    const terms = { fee_bps: 300, name: 'Quinn & Sons', rate_multiplier: 5 };
    expect((await change(terms)).body).toMatchObject(terms);
    const { body } = await merchant.post<{ id: string }>('/v1/payments', order);
    expect((await merchant.post(`/v1/test/payments/${body.id}/pay`)).body).toMatchObject({ fee: '3.00' });
    const revision = 'select revision from clients where id = $1';
    const before = await gateway.database.value(revision, [idOf(merchant)]);
    expect((await change({ fee_bps: 300, reason: 'again' })).status).toBe(200);
    expect(await gateway.database.value(revision, [idOf(merchant)])).toBe(before);
  });

  it('are suspended at once for keys and people, on every instance, and come back', async () => {
    const second = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' }, database: gateway.database });
    try {
      const owner = (await member(gateway, merchant, 'owner')).with({ url: second.url });
      const shop = merchant.with({ url: second.url });
      expect([(await owner.get('/v1/client')).status, (await shop.get('/v1/client')).status]).toEqual([200, 200]);
      expect((await change({ status: 'suspended', reason: 'stolen cards' })).body).toMatchObject({ status: 'suspended' });
      expectProblem(await shop.post('/v1/payments', order), 403, 'client_inactive');
      expectProblem(await owner.call('PATCH', '/v1/client', { name: 'Still here' }), 403, 'client_inactive');
      await eventually(async () => (await shop.get('/v1/client')).status === 403 && (await owner.get('/v1/client')).status === 403, 3_000);
      expect((await change({ status: 'active', reason: 'cleared' })).status).toBe(200);
      expect((await merchant.post('/v1/payments', order)).status).toBe(201);
    } finally {
      await second.stop();
    }
  });

  it('lose their live book when it is shut, and keep the other', async () => {
    const live = await gateway.merchant({ live: true });
    const tester = await anotherKey(gateway, live, { livemode: false });
    expect((await live.post('/v1/webhook-endpoints', { url: 'https://192.0.2.1/x', events: ['*'] })).status).toBe(422);
    expect((await change({ live_enabled: false }, admin, live)).status).toBe(200);
    expectProblem(await live.post('/v1/webhook-endpoints', { url: 'https://192.0.2.1/x', events: ['*'] }), 403, 'client_inactive');
    expect((await tester.post('/v1/payments', order)).status).toBe(201);
  });

  it('are closed for good', async () => {
    expect((await change({ status: 'closed', reason: 'gone out of business' })).body).toMatchObject({ status: 'closed' });
    for (const body of [{ status: 'active', reason: 'sorry' }, { name: 'Again' }, {}]) expectProblem(await change(body), 409, 'state_conflict');
    expectProblem(await merchant.post('/v1/payments', order), 403, 'client_inactive');
  });

  it('are not changed without a reason for their status, nor by other fields', async () => {
    expect(fieldsOf(await change({ status: 'suspended' }))).toEqual([422, ['reason']]);
    expect(fieldsOf(await change({ status: 'gone', reason: 'x' }))).toEqual([422, ['status']]);
    expect(fieldsOf(await change({ revision: 1 }))).toEqual([422, ['revision']]);
    expectProblem(await admin.call('PATCH', `${path}/${nobody}`, { name: 'A' }), 404, 'not_found');
    for (const route of [`${path}/${nobody}`, `${path}/${nobody}/history`]) expectProblem(await admin.get(route), 404, 'not_found');
  });

  it('lose no change when several are made at once', async () => {
    const answers = await Promise.all([change({ fee_bps: 111 }), change({ rate_multiplier: 7 }), change({ name: 'Parallel' })]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await admin.get(`${path}/${idOf(merchant)}`)).body).toMatchObject({ fee_bps: 111, rate_multiplier: 7, name: 'Parallel' });
  });

  it('are open to each role as far as it goes', async () => {
    const read = [path, `${path}/${idOf(merchant)}`];
    for (const role of ['approver', 'analyst', 'auditor'] as const) {
      const person = await staff(gateway, role);
      for (const route of read) expect([role, (await person.get(route)).status]).toEqual([role, 200]);
      expectProblem(await person.post(path, { name: 'Mine' }), 403, 'forbidden');
      expectProblem(await change({ fee_bps: 0 }, person), 403, 'forbidden');
      expect([role, (await history(person)).status]).toEqual([role, role === 'approver' ? 403 : 200]);
    }
    const owner = await member(gateway, merchant, 'owner');
    for (const route of read) expectProblem(await owner.get(route), 403, 'forbidden');
    expectProblem(await merchant.get(path), 401, 'unauthenticated');
  });

  it('are changed with a fresh second factor only', async () => {
    const tired = await staff(gateway, 'admin', { fresh: false });
    expectProblem(await change({ fee_bps: 1 }, tired), 403, 'two_factor_required');
    const withCode = await tired.call('PATCH', `${path}/${idOf(merchant)}`, { fee_bps: 1 }, { 'x-totp-code': await tired.code() });
    expect(withCode.status).toBe(200);
  });

  describe('have a history', () => {
    it('of what was changed about them, and of nothing else', async () => {
      await merchant.post('/v1/payments', order);
      await change({ status: 'suspended', reason: 'a word with the bank' });
      await change({ status: 'active', reason: 'all is well' });
      await merchant.call('PATCH', '/v1/client/settings', { payment_rules: { late: 'credit_locked' } });
      const key = await merchant.post<{ id: string }>('/v1/api-keys', { name: 'shop', scopes: ['payments:read'] });
      await merchant.post('/v1/webhook-endpoints', { url: 'http://127.0.0.1:18080/hook', events: ['*'] });
      await merchant.call('PATCH', '/v1/client/branding', { display_name: 'Quinn' });
      const { body } = await history();
      expect(body.data.slice(0, 6).map(({ kind }) => kind)).toEqual([
        'client.branding_changed', 'webhook_endpoint.created', 'api_key.created', 'client.settings_changed', 'client.updated', 'client.updated',
      ]);
      expect(kindsOf(body.data.slice(6))).toEqual(['api_key.created', 'client.created']);
      expect(body.data[5]).toMatchObject({
        actor: { type: 'person', id: admin.id }, ip: '127.0.0.1', livemode: null, before: { status: 'active' },
        after: { status: 'suspended', reason: 'a word with the bank' },
      });
      expect(body.data[2]).toMatchObject({ object_id: key.body.id, livemode: false, after: { object: 'api_key', name: 'shop' } });
      expect(JSON.stringify(body)).not.toMatch(/cpg_test_[A-Za-z0-9]{40}|cpg_sign_|whsec_/);
      const rest = await admin.get<Page<Change>>(`${path}/${idOf(merchant)}/history?starting_after=${body.data[5].id}`);
      expect(rest.body.data.map(({ id }) => id)).toEqual(body.data.slice(6).map(({ id }) => id));
    });

    it('read by an index that passes by their payments', async () => {
      const plan = await gateway.database.rows<{ 'QUERY PLAN': string }>(
        `explain select id from audit_events where client_id = 'cli_1' and split_part(kind, '.', 1) in ('client', 'api_key', 'webhook_endpoint')
          order by id desc limit 21`,
      );
      expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('audit_events_of_client_changes');
    });

    it('of their own, without the names and reasons of staff, each book apart', async () => {
      const live = await gateway.merchant({ live: true });
      const tester = await anotherKey(gateway, live, { livemode: false });
      await change({ fee_bps: 20, reason: 'between us' }, admin, live);
      await live.post('/v1/api-keys', { name: 'live only', scopes: ['payments:read'] });
      const own = await live.get<Page<Change>>('/v1/client/history');
      expect(own.body.data.slice(0, 2).map(({ kind, livemode }) => [kind, livemode])).toEqual([['api_key.created', true], ['client.updated', null]]);
      expect(kindsOf(own.body.data.slice(2))).toEqual(['api_key.created', 'client.created']);
      expect(own.body.data[1]).toMatchObject({ actor: { type: 'person', id: null }, ip: null, after: { fee_bps: 20 } });
      expect(own.body.data[0]).toMatchObject({ actor: { type: 'api_key', id: live.credentials.keyId }, ip: '127.0.0.1' });
      expect(own.text).not.toContain('between us');
      expect(own.text).not.toContain(admin.id);
      const tests = await tester.get<Page<Change>>('/v1/client/history');
      expect(kindsOf(tests.body.data)).toEqual(['api_key.created', 'client.created', 'client.updated']);
      const viewer = await member(gateway, live, 'viewer');
      expect((await viewer.get('/v1/client/history', { 'x-livemode': 'true' })).body).toEqual(own.body);
    });
  });

  it('are made once by a call that is repeated with its Idempotency-Key, for each of the staff by itself', async () => {
    const [one, other] = [await staff(gateway, 'admin'), await staff(gateway, 'admin')];
    const make = (as: TestPerson, name = 'Once') => as.post('/v1/admin/clients', { name }, { 'idempotency-key': 'make-it-once' });
    const first = await make(one);
    const again = await make(one);
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    expectProblem(await make(one, 'Twice'), 422, 'idempotency_mismatch');
    expect((await make(other)).body.id).not.toBe(first.body.id);
    expect(await gateway.database.value("select count(*)::int from clients where name in ('Once', 'Twice')")).toBe(2);
  });
});
