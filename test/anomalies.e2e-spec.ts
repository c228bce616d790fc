import { anomalyParameter, type NewAnomaly } from '../src/fraud/anomalies/new-anomaly';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Merchant } from './support/merchant';
import { member, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

const PATH = '/v1/anomalies';
const STAFF = '/v1/admin/anomalies';
const RECORD = 'select record_anomaly($1)';
const PAYMENT = `pay_${'1'.repeat(32)}`;

interface Shown extends Record<string, unknown> {
  id: string;
  status: string;
  count: number;
  severity: string;
}

describe('anomalies', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let analyst: TestPerson;
  let signed = 0;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    analyst = await staff(gateway, 'analyst', { fresh: false });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ live: true });
    merchant = await anotherKey(gateway, merchant, { livemode: false });
  });
  afterAll(() => gateway.stop());

  const seen = (change: Partial<NewAnomaly> = {}): string =>
    anomalyParameter({
      clientId: merchant.credentials.clientId, livemode: false, kind: 'payments.velocity', severity: 'medium', subjectType: 'payment',
      subjectId: PAYMENT, title: '12 payments in a minute', figures: { payments: 12, limit: 5 }, ...change,
    });
  const record = (change: Partial<NewAnomaly> = {}) => gateway.database.value<string>(RECORD, [seen(change)]);
  const get = async (id: string) => (await merchant.get<Shown>(`${PATH}/${id}`)).body;
  /** Each signed at a second of its own: the same words at the same second are a replay, which changes nothing. */
  const change = (id: string, body: object) =>
    merchant.call<Shown>('PATCH', `${PATH}/${id}`, body, { timestamp: Math.floor(Date.now() / 1000) - 200 + (signed += 1) });
  const become = async (id: string, ...statuses: string[]) => {
    for (const status of statuses) expect(await change(id, { status })).toMatchObject({ status: 200, body: { status, id } });
  };
  const idsOf = async (query: string) => (await merchant.get<{ data: Shown[] }>(PATH + query)).body.data.map(({ id }) => id);

  it('are shown to their client, with what people made of them: who, when, before and after', async () => {
    const id = await record();
    const first = await get(id);
    expect(first).toMatchObject({
      id: expect.stringMatching(/^ano_[0-9a-f]{32}$/), object: 'anomaly', livemode: false, kind: 'payments.velocity', severity: 'medium', status: 'open',
      subject: { type: 'payment', id: PAYMENT }, title: '12 payments in a minute', figures: { payments: 12, limit: 5 }, note: null, count: 1,
      changed_by: null, changed_at: null, revision: 1, history: [],
    });
    const changed = await change(id, { status: 'investigating', note: 'asking the payer' });
    const { history: _none, ...shown } = first;
    const by = { type: 'api_key', id: merchant.credentials.keyId };
    expect(changed).toMatchObject({ status: 200, body: { ...shown, status: 'investigating', note: 'asking the payer', changed_by: by, changed_at: expect.any(String), revision: 2 } });
    expect(await analyst.call('PATCH', `${STAFF}/${id}`, { status: 'resolved' })).toMatchObject({
      status: 200, body: { status: 'resolved', note: 'asking the payer', changed_by: { type: 'staff', id: analyst.id }, client: merchant.credentials.clientId },
    });
    const change1 = { by, at: expect.any(String) as string, before: { status: 'open', note: null }, after: { status: 'investigating', note: 'asking the payer' } };
    const change2 = { at: expect.any(String) as string, before: change1.after, after: { status: 'resolved', note: 'asking the payer' } };
    expect(await get(id)).toMatchObject({ status: 'resolved', changed_by: { type: 'staff', id: null }, history: [{ ...change2, by: { type: 'staff', id: null } }, change1] });
    const auditor = await staff(gateway, 'auditor');
    expect((await auditor.get(`${STAFF}/${id}`)).body).toMatchObject({ history: [{ ...change2, by: { type: 'staff', id: analyst.id } }, change1] });
    const audited = await gateway.database.rows(
      'select kind, client_id, livemode, actor_type, actor_id, before, after from audit_events where object_id = $1 order by id', [id],
    );
    const event = { kind: 'anomaly.status_changed', client_id: merchant.credentials.clientId, livemode: false };
    expect(audited).toEqual([
      { ...event, actor_type: 'api_key', actor_id: by.id, before: change1.before, after: { ...change1.after, changed_by: by } },
      { ...event, actor_type: 'person', actor_id: analyst.id, before: change2.before, after: { ...change2.after, changed_by: { type: 'staff', id: analyst.id } } },
    ]);
  });

  it('go from status to status as the table says, and nowhere else', async () => {
    const id = await record();
    await become(id, 'investigating', 'resolved');
    expectProblem(await change(id, { status: 'false_positive' }), 409, 'state_conflict');
    await become(id, 'open', 'investigating', 'false_positive', 'investigating');
    expectProblem(await analyst.call('PATCH', `${STAFF}/${id}`, { status: 'open' }), 409, 'state_conflict');
    expect(await get(id)).toMatchObject({ status: 'investigating', revision: 7 });
    const replayed = await change(id, { status: 'investigating' });
    expect(replayed).toMatchObject({ status: 200, body: { revision: 7 } });
    for (const body of [{}, { status: 'closed' }, { note: '' }, { status: 'open', by: 'me' }, { note: 'a\u0007b' }]) {
      expectProblem(await change(id, body), 422, 'validation_failed');
    }
    expect(await gateway.database.value('select count(*)::int from audit_events where object_id = $1', [id])).toBe(6);
  });

  it('seen twenty times at once are one, counted twenty times', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => record()));
    expect(new Set(ids).size).toBe(1);
    expect(await get(ids[0])).toMatchObject({ count: 20, revision: 1 });
    expect(await idsOf('')).toEqual([ids[0]]);
  });

  it('wait for each other by one row, also when two open the same at once, and fail nobody', async () => {
    const [one, other] = await Promise.all([gateway.database.pool.connect(), gateway.database.pool.connect()]);
    await one.query('begin');
    const { rows: [{ record_anomaly: id }] } = await one.query<{ record_anomaly: string }>(RECORD, [seen()]);
    await other.query('begin');
    const second = other.query<{ record_anomaly: string }>(RECORD, [seen({ severity: 'critical', figures: { payments: 13 } })]);
    await eventually(() => gateway.database.value<boolean>("select exists (select from pg_locks where not granted)"), 5_000);
    expect(await record({ kind: 'payments.amount' })).not.toBe(id);
    await one.query('commit');
    expect((await second).rows).toEqual([{ record_anomaly: id }]);
    await other.query('commit');
    one.release();
    other.release();
    expect(await get(id)).toMatchObject({ count: 2, severity: 'critical', figures: { payments: 13 } });
  });

  it('are added to while they are open, and are new ones after a day, after they were closed, or of another group', async () => {
    const id = await record({ groupKey: 'card c1', severity: 'high' });
    await become(id, 'investigating');
    expect(await record({ groupKey: 'card c1', subjectId: 'another', severity: 'low' })).toBe(id);
    expect(await get(id)).toMatchObject({ count: 2, severity: 'high', status: 'investigating' });
    expect(await record({ groupKey: 'card c2' })).not.toBe(id);
    expect(await record({ groupKey: 'card c1', kind: 'payments.amount' })).not.toBe(id);
    expect(await record({ groupKey: 'card c1', livemode: true })).not.toBe(id);
    await gateway.database.rows("update anomalies set last_at = now() - interval '25 hours' where id = $1", [id]);
    const next = await record({ groupKey: 'card c1' });
    expect([next === id, await record({ groupKey: 'card c1' })]).toEqual([false, next]);
    await become(next, 'investigating', 'resolved');
    const third = await record({ groupKey: 'card c1' });
    expect([id, next]).not.toContain(third);
    expect(await get(next)).toMatchObject({ count: 2, status: 'resolved' });
  });

  it('that are opened again collect again, unless another one does', async () => {
    const id = await record();
    await become(id, 'investigating', 'resolved', 'open');
    expect(await record()).toBe(id);
    await become(id, 'investigating', 'false_positive');
    const other = await record();
    await become(id, 'open');
    expect([other === id, await record()]).toEqual([false, other]);
    expect(await get(id)).toMatchObject({ status: 'open', count: 2 });
  });

  it('are listed by status, severity and kind, page by page', async () => {
    const older = await record({ severity: 'low' });
    const newer = await record({ kind: 'withdrawals.amount', severity: 'critical' });
    await become(older, 'investigating');
    expect([await idsOf(''), await idsOf('?status=investigating'), await idsOf('?severity=critical'), await idsOf('?kind=withdrawals.amount')])
      .toEqual([[newer, older], [older], [newer], [newer]]);
    expect((await merchant.get(`${PATH}?limit=1`)).body).toMatchObject({ object: 'list', data: [{ id: newer }], has_more: true });
    expect(await idsOf(`?starting_after=${newer}`)).toEqual([older]);
    expect((await merchant.get(`${PATH}?status=closed`)).status).toBe(422);
    const { clientId } = merchant.credentials;
    const page = await analyst.get<{ data: Shown[] }>(`${STAFF}?client=${clientId}&livemode=false&status=open`);
    expect(page.body.data).toMatchObject([{ id: newer, client: clientId }]);
    expect((await analyst.get<{ data: Shown[] }>(`${STAFF}?client=${clientId}&livemode=true`)).body.data).toEqual([]);
  });

  it('are open to the roles and scopes that need them', async () => {
    const id = await record();
    const [owner, viewer] = [await member(gateway, merchant, 'owner'), await member(gateway, merchant, 'viewer')];
    expect([(await viewer.get(`${PATH}/${id}`)).status, (await viewer.call('PATCH', `${PATH}/${id}`, { note: 'x' })).status]).toEqual([200, 403]);
    expect(await owner.call('PATCH', `${PATH}/${id}`, { note: 'our test' })).toMatchObject({ status: 200, body: { changed_by: { type: 'person', id: owner.id } } });
    const reader = await anotherKey(gateway, merchant, { scopes: ['anomalies:read'] });
    expectProblem(await reader.call('PATCH', `${PATH}/${id}`, { note: 'x' }), 403, 'scope_missing');
    expectProblem(await merchant.call('PATCH', `${PATH}/${id}`, { note: 'x' }, { tamper: (headers) => { headers['x-signature'] = 'v1=00'; } }), 401, 'signature_invalid');
    const approver = await staff(gateway, 'approver');
    expect([(await approver.get(`${STAFF}/${id}`)).status, (await approver.call('PATCH', `${STAFF}/${id}`, { note: 'x' })).status]).toEqual([200, 403]);
    expect((await analyst.get(`${STAFF}/ano_${'0'.repeat(32)}`)).status).toBe(404);
    expect(await get(id)).toMatchObject({ note: 'our test' });
  });

  it('hold no secrets and no card numbers', async () => {
    const id = await record({ title: 'card 4242 4242 4242 4242', figures: { api_key: 'cpg_live_abc', card: '4242424242424242', email: 'anna@example.com' } });
    const stored = await gateway.database.value<string>('select a::text from anomalies a where id = $1', [id]);
    expect(stored).not.toMatch(/4242424242424242|4242 4242 4242 4242|cpg_live_abc|anna@/);
    expect(await get(id)).toMatchObject({ title: 'card ************4242', figures: { api_key: '[masked]' } });
  });
});
