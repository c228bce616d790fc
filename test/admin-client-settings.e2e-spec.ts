import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { member, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

interface Change {
  kind: string;
  livemode: boolean | null;
  actor: { type: string; id: string | null };
  ip: string | null;
  before: object;
  after: object;
}

const HOUR = { withdrawals: { destination_cooloff_seconds: 3600 } };

describe('the settings of clients, for staff', () => {
  let gateway: Gateway;
  let admin: TestPerson;
  let live: Merchant;
  let tester: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    admin = await staff(gateway, 'admin');
  });
  beforeEach(async () => {
    live = await gateway.merchant({ live: true });
    tester = await anotherKey(gateway, live, { livemode: false });
  });
  afterAll(() => gateway.stop());

  const path = () => `/v1/admin/clients/${live.credentials.clientId}/settings`;
  const change = (body: unknown, by = admin) => by.call('PATCH', path(), body);
  const fieldsOf = ({ status, body }: Answer) => [status, (body.errors as { field: string }[] | undefined)?.map(({ field }) => field)];
  const revision = () => gateway.database.value('select revision from clients where id = $1', [live.credentials.clientId]);
  const audited = () => gateway.database.rows<{ livemode: boolean; before: object; after: object; actor_id: string }>(
    `select livemode, before, after, actor_id from audit_events
      where kind = 'client.operator_settings_changed' and client_id = $1 order by id`,
    [live.credentials.clientId],
  );

  it('are shown for both books with their defaults', async () => {
    const payment_rules = expect.objectContaining({ underpaid: 'wait' }) as object;
    expect((await admin.get(path())).body).toEqual({
      id: live.credentials.clientId, object: 'client_settings',
      live: { payment_rules, withdrawals: { destination_cooloff_seconds: 86_400 } },
      test: { payment_rules, withdrawals: { destination_cooloff_seconds: 0 } },
    });
  });

  it('are changed in the book that is named, audited with before and after, and keep what the client has set', async () => {
    await live.call('PATCH', '/v1/client/settings', { payment_rules: { late: 'credit_locked' } });
    const { status, body } = await change({ live: HOUR, reason: 'pays out hourly' });
    expect([status, body]).toMatchObject([200, {
      live: { ...HOUR, payment_rules: { late: 'credit_locked' } }, test: { withdrawals: { destination_cooloff_seconds: 0 } },
    }]);
    expect((await admin.get(path())).body).toEqual(body);
    expect((await live.get('/v1/client/settings')).body).toMatchObject(HOUR);
    expect(await audited()).toMatchObject([{
      livemode: true, actor_id: admin.id,
      before: { withdrawals: { destination_cooloff_seconds: 86_400 } }, after: { ...HOUR, reason: 'pays out hourly' },
    }]);
    expect((await change({ test: HOUR, live: { withdrawals: { destination_cooloff_seconds: 0 } } })).body).toMatchObject({
      live: { withdrawals: { destination_cooloff_seconds: 0 } }, test: HOUR,
    });
    expect((await audited()).map(({ livemode }) => livemode).sort()).toEqual([false, true, true]);
  });

  it('are not written when nothing differs', async () => {
    await change({ live: HOUR });
    const before = await revision();
    const same = [{}, { live: {} }, { live: { withdrawals: {} } }, { live: HOUR, reason: 'again' }];
    for (const body of same) expect((await change(body)).status).toBe(200);
    expect([await revision(), (await audited()).length]).toEqual([before, 1]);
  });

  it.each<[unknown, string[]]>([
    [{ live: { withdrawals: { destination_cooloff_seconds: -1 } } }, ['live.withdrawals.destination_cooloff_seconds']],
    [{ live: { withdrawals: { destination_cooloff_seconds: 2_592_001 } } }, ['live.withdrawals.destination_cooloff_seconds']],
    [{ live: { withdrawals: { destination_cooloff_seconds: 1.5 } } }, ['live.withdrawals.destination_cooloff_seconds']],
    [{ test: { withdrawals: { destination_cooloff_seconds: '60' } } }, ['test.withdrawals.destination_cooloff_seconds']],
    [{ test: { withdrawals: { cooloff: 1 } } }, ['test.withdrawals.cooloff']],
    [{ test: { fees: {} } }, ['test.fees']], [{ test: { toString: {} } }, ['test.toString']],
    [{ test: { withdrawals: null } }, ['test.withdrawals']],
    [{ live: { payment_rules: { late: 'queue' } } }, ['live.payment_rules']],
    [{ withdrawals: {} }, ['withdrawals']], [{ live: HOUR, reason: '' }, ['reason']],
  ])('refuse %j whole', async (body, fields) => {
    expect(fieldsOf(await change(body))).toEqual([422, fields]);
    const sql = 'select live_settings, test_settings from clients where id = $1';
    const stored = await gateway.database.rows(sql, [live.credentials.clientId]);
    expect(stored).toEqual([{ live_settings: {}, test_settings: {} }]);
  });

  it('change neither book when one of the two is refused', async () => {
    const answer = await change({ live: HOUR, test: { withdrawals: { destination_cooloff_seconds: -1 } } });
    expect(fieldsOf(answer)).toEqual([422, ['test.withdrawals.destination_cooloff_seconds']]);
    expect((await admin.get(path())).body).toMatchObject({ live: { withdrawals: { destination_cooloff_seconds: 86_400 } } });
  });

  it('are in the history of the book that they are of, without the names and reasons of staff', async () => {
    await change({ live: HOUR, reason: 'between us' });
    const own = await live.get<{ data: Change[] }>('/v1/client/history');
    expect(own.body.data[0]).toMatchObject({
      kind: 'client.operator_settings_changed', livemode: true, actor: { type: 'person', id: null }, ip: null, after: HOUR,
    });
    expect(own.text).not.toMatch(new RegExp(`between us|${admin.id}`));
    const tests = await tester.get<{ data: Change[] }>('/v1/client/history');
    expect(tests.body.data.map(({ kind }) => kind)).not.toContain('client.operator_settings_changed');
    const { body } = await admin.get<{ data: Change[] }>(`/v1/admin/clients/${live.credentials.clientId}/history`);
    expect(body.data[0]).toMatchObject({ actor: { type: 'person', id: admin.id }, after: { reason: 'between us' } });
  });

  it('are read by all staff and changed by admins with a fresh second factor', async () => {
    for (const role of ['approver', 'analyst', 'auditor'] as const) {
      const person = await staff(gateway, role);
      expect([role, (await person.get(path())).status]).toEqual([role, 200]);
      expectProblem(await change({ live: HOUR }, person), 403, 'forbidden');
    }
    expectProblem(await change({ live: HOUR }, await staff(gateway, 'admin', { fresh: false })), 403, 'two_factor_required');
    const owner = await member(gateway, live, 'owner');
    for (const answer of [await owner.get(path()), await change({ live: HOUR }, owner)]) expectProblem(answer, 403, 'forbidden');
    expect(await audited()).toEqual([]);
  });

  it('are there for clients that exist, and final for those that are closed', async () => {
    const nobody = `/v1/admin/clients/cli_${'0'.repeat(32)}/settings`;
    const answers = [await admin.get(nobody), await admin.call('PATCH', nobody, { live: HOUR }), await admin.call('PATCH', nobody, {})];
    for (const answer of answers) expectProblem(answer, 404, 'not_found');
    await admin.call('PATCH', `/v1/admin/clients/${live.credentials.clientId}`, { status: 'closed', reason: 'gone' });
    expectProblem(await change({ live: HOUR }), 409, 'state_conflict');
  });
});
