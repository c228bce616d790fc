import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { deliver, genericWebhook } from './support/providers';
import { eventually } from './support/eventually';

const PATH = '/v1/admin/switches';
const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const reason = 'the provider books nothing since 14:00';

interface Switch extends Record<string, unknown> {
  id: string;
  paused: boolean;
  changed_at: string | null;
}

describe('switches', () => {
  let gateway: Gateway;
  let elsewhere: Gateway;
  let admin: TestPerson;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
    elsewhere = await Gateway.start({ database: gateway.database });
    admin = await staff(gateway, 'admin');
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterEach(() => gateway.database.rows('truncate switches'));
  afterAll(async () => {
    await elsewhere.stop();
    await gateway.stop();
  });

  const turn = async (target: string, paused: boolean, why = reason) => {
    const answer = await admin.post<Switch>(PATH, { target, paused, reason: why });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  };
  const list = async (query = '') => (await admin.get<{ data: Switch[]; has_more: boolean }>(PATH + query)).body;
  const create = async (by: Merchant) => (await by.post('/v1/payments', order)).status;
  const mayWithdraw = ({ credentials }: Merchant) =>
    gateway.database.rows("select check_running('withdrawals', $1)", [credentials.clientId])
      .then(() => true, (error: { code: string }) => error.code);

  it('pause and resume payments, on every instance at once, with who and why', async () => {
    const there = merchant.with({ url: elsewhere.url });
    expect([await create(merchant), await create(there)]).toEqual([201, 201]);
    const paused = await turn('payments', true);
    expect(paused).toMatchObject({ id: 'payments', object: 'switch', paused: true, reason, changed_by: admin.id });
    for (const at of [merchant, there]) {
      const refused = await at.post('/v1/payments', order);
      expectProblem(refused, 503, 'paused');
      expect(refused.body.detail).toContain(reason);
      expect(refused.headers.get('retry-after')).toBe('60');
    }
    expect(await mayWithdraw(merchant)).toBe(true);
    expect((await list()).data).toEqual([expect.objectContaining({ id: 'withdrawals', paused: false, changed_by: null }), paused]);
    const resumed = await turn('payments', false, 'it books again');
    expect([await create(merchant), await create(there)]).toEqual([201, 201]);
    const audited = await gateway.database.rows(
      "select actor_id, before, after from audit_events where kind = 'switch.changed' and object_id = 'payments' order by id",
    );
    const never = { id: 'payments', object: 'switch', paused: false, reason: null, changed_by: null, changed_at: null };
    expect(audited).toEqual([{ actor_id: admin.id, before: never, after: paused }, { actor_id: admin.id, before: paused, after: resumed }]);
    const told = await gateway.database.rows(
      "select kind, severity, actor_id from security_events where source = 'payments' order by kind",
    );
    expect(told).toEqual(['switch.paused', 'switch.resumed'].map((kind) => ({ kind, severity: 'high', actor_id: admin.id })));
  });

  it('leave what was answered and what arrives alone', async () => {
    const idempotencyKey = 'asked-before';
    const first = await merchant.post<{ id: string }>('/v1/payments', order, { idempotencyKey });
    await turn('payments', true);
    const again = await merchant.post('/v1/payments', order, { idempotencyKey });
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
    const retried = { idempotencyKey: 'asked-while-paused' };
    expect((await merchant.post('/v1/payments', order, retried)).status).toBe(503);
    await deliver(gateway.url, genericWebhook({ paymentId: first.body.id, amount: '25.00', reference: 'while-paused' }));
    await eventually(async () => (await merchant.get(`/v1/payments/${first.body.id}`)).body.status === 'succeeded');
    const { body } = await merchant.get('/v1/balances');
    expect(body.balances).toEqual([expect.objectContaining({ currency: 'USD', available: '25.00' })]);
    await turn('payments', false);
    expect((await merchant.post('/v1/payments', order, retried)).status).toBe(201);
  });

  it('pause withdrawals without payments', async () => {
    await turn('withdrawals', true);
    expect([await create(merchant), await mayWithdraw(merchant)]).toEqual([201, 'CPG05']);
    await turn('withdrawals', false);
    expect(await mayWithdraw(merchant)).toBe(true);
  });

  it('pause one client and no other', async () => {
    const other = await gateway.merchant();
    const { clientId } = merchant.credentials;
    await turn(clientId, true);
    expect([await create(merchant), await mayWithdraw(merchant)]).toEqual([503, 'CPG05']);
    expect([await create(other), await mayWithdraw(other)]).toEqual([201, true]);
    await turn(clientId, false);
    expect([await create(merchant), await mayWithdraw(merchant)]).toEqual([201, true]);
    expect((await admin.get(`/v1/admin/clients/${clientId}`)).body).not.toHaveProperty('paused');
  });

  it('turned to where they stand change nothing', async () => {
    const { clientId } = merchant.credentials;
    const answers = await Promise.all(Array.from({ length: 8 }, () => turn(clientId, true)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const count = "select count(*)::int from audit_events where object_id = $1 and kind = 'switch.changed'";
    expect(await gateway.database.value<number>(count, [clientId])).toBe(1);
  });

  it('are listed page by page, the areas first, then every client that was ever paused', async () => {
    const older = merchant.credentials.clientId;
    const newer = (await gateway.merchant()).credentials.clientId;
    for (const client of [older, newer]) await turn(client, true);
    await turn(older, false);
    const ids = ({ data }: { data: Switch[] }) => data.map(({ id, paused }) => [id, paused]);
    expect(ids(await list())).toEqual([['withdrawals', false], ['payments', false], [newer, true], [older, false]]);
    const page = await list('?limit=2&starting_after=withdrawals');
    expect([ids(page), page.has_more]).toEqual([[['payments', false], [newer, true]], true]);
    expect(ids(await list(`?starting_after=${newer}`))).toEqual([[older, false]]);
    expect(ids(await list(`?limit=1&ending_before=${newer}`))).toEqual([['payments', false]]);
    expect((await admin.get(`${PATH}?starting_after=refunds`)).status).toBe(422);
  });

  it('are turned by admins with a fresh second factor, and read by all staff', async () => {
    const body = { target: 'payments', paused: true, reason };
    for (const role of ['approver', 'analyst', 'auditor'] as const) {
      const person = await staff(gateway, role);
      expect([role, (await person.get(PATH)).status, (await person.post(PATH, body)).status]).toEqual([role, 200, 403]);
    }
    const stale = await staff(gateway, 'admin', { fresh: false });
    expect(await stale.post(PATH, body)).toMatchObject({ status: 403, body: { code: 'two_factor_required' } });
    expect(await create(merchant)).toBe(201);
    expect((await stale.post(PATH, body, { 'x-totp-code': await stale.code() })).status).toBe(200);
    expect(await create(merchant)).toBe(503);
  });

  it.each([
    [{ target: `cli_${'0'.repeat(32)}`, paused: true, reason }, 404],
    [{ target: 'refunds', paused: true, reason }, 422],
    [{ target: 'payments', paused: 'yes', reason }, 422],
    [{ target: 'payments', paused: true }, 422],
    [{ target: 'payments', paused: true, reason: '' }, 422],
    [{ target: 'payments', paused: true, reason: 'two\nlines' }, 422],
  ])('are not turned by %j', async (body, status) => {
    expect((await admin.post(PATH, body)).status).toBe(status);
    expect(await gateway.database.rows('select id from switches')).toEqual([]);
  });
});
