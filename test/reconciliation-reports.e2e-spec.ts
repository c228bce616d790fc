import { SecurityLog } from '../src/audit/security-log';
import type { ReconciliationObject } from '../src/operations/reconciliation/reconciliations.dto';
import { ReconcileJob } from '../src/operations/reconciliation/reconcile.job';
import { dayBefore, dayOf } from '../src/operations/reconciliation/report-day';
import { runInContext } from '../src/platform/http/request-context';
import { built } from './support/built';
import { DAY_MS, dayWithRoom } from './support/day-with-room';
import { runHere } from './support/commands';
import { newFolder, removeFolders } from './support/embedded-folders';
import { Gateway, TEST_SECRETS } from './support/gateway';
import { staff, type TestPerson } from './support/people';
import { endPrograms, runProgram } from './support/programs';

const PATH = '/v1/admin/reports/reconciliations';
/** Longer than this suite runs, once everything is built. */
const SUITE_MS = 60_000;

type List = { data: { id: string }[]; has_more: boolean };

describe('reports of reconciliations', () => {
  let gateway: Gateway;
  let auditor: TestPerson;
  let today: string;

  beforeAll(async () => {
    await built();
    today = await dayWithRoom(SUITE_MS);
    gateway = await Gateway.start();
    auditor = await staff(gateway, 'auditor');
    // Live money that is kept, and of which no event tells.
    await gateway.database.rows(
      `insert into unmatched_deposits (id, provider, reference, livemode, amount_minor, currency, reason, wish, received_at)
       values (new_id('dep'), 'generic', 'ref_of_nobody', true, 600, 'USD', 'no_payment', 'review', now())`,
    );
  }, 240_000 + SUITE_MS);
  afterAll(async () => {
    await gateway.stop();
    await endPrograms();
    removeFolders();
  });

  const make = async (day: string, livemode: boolean) => {
    const answer = await auditor.post<ReconciliationObject>(PATH, { day, livemode });
    expect(answer.status).toBe(201);
    return answer.body;
  };
  const ids = ({ body }: { body: List }) => body.data.map(({ id }) => id);

  it('tell a difference once for each run, as critical, and note every run in the audit log', async () => {
    const write = jest.spyOn(SecurityLog.prototype, 'write');
    const told = () => write.mock.calls.map(([event]) => event).filter(({ kind }) => kind === 'reconciliation.difference');
    expect(await make(today, true)).toMatchObject({ differences: 1, parts: [{ source: 'generic', provider_amount: '0.00', ledger_amount: '6.00' }] });
    const first = { source: 'generic', kind: 'missing_at_provider', reference: 'ref_of_nobody' };
    expect(told()).toMatchObject([{ severity: 'critical', source: `${today} live`, details: { differences: 1, first } }]);
    await make(today, true);
    await make(today, false);
    expect(told()).toHaveLength(2);
    write.mockRestore();
    expect(await gateway.database.rows(
      "select object_id, actor_id, after from audit_events where kind = 'reconciliation.made' order by id offset 1",
    )).toEqual([
      { object_id: `${today}-live`, actor_id: auditor.id, after: { day: today, livemode: true, differences: 1 } },
      { object_id: `${today}-test`, actor_id: auditor.id, after: { day: today, livemode: false, differences: 0 } },
    ]);
    expect(await gateway.database.rows("select severity from security_events where kind = 'reconciliation.difference'")).toEqual([{ severity: 'critical' }]);
  });

  it('are shown to staff by day, the newest first', async () => {
    const earlier = dayBefore(new Date());
    for (const [day, livemode] of [[earlier, false], [earlier, true], [today, false], [today, true]] as const) await make(day, livemode);
    const analyst = await staff(gateway, 'analyst');
    const list = (query: string) => analyst.get<List>(`${PATH}${query}`);
    expect(ids(await list(''))).toEqual([`${today}-test`, `${today}-live`, `${earlier}-test`, `${earlier}-live`]);
    expect(ids(await list('?livemode=false'))).toEqual([`${today}-test`, `${earlier}-test`]);
    const page = await list(`?limit=2&starting_after=${today}-test`);
    expect([ids(page), page.body.has_more]).toEqual([[`${today}-live`, `${earlier}-test`], true]);
    expect(ids(await list(`?limit=1&ending_before=${earlier}-test`))).toEqual([`${today}-live`]);
    expect((await list(`?starting_after=${today}-test&ending_before=${today}-test`)).body).toMatchObject({ code: 'validation_failed' });
    expect(page.body.data[0]).toEqual({
      id: `${today}-live`, object: 'reconciliation', day: today, livemode: true, differences: 1, made_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await analyst.get(`${PATH}/${today}`)).body).toMatchObject({ id: `${today}-live`, parts: [{ details: [{ object: expect.stringMatching(/^dep_/) }] }] });
    expect((await analyst.get(`${PATH}/${today}?livemode=false`)).body).toMatchObject({ id: `${today}-test`, parts: [] });
    expect((await analyst.get(`${PATH}/2020-01-01`)).body).toMatchObject({ code: 'not_found' });
    expect((await analyst.get(`${PATH}/2026-02-30`)).body).toMatchObject({ code: 'validation_failed' });
  });

  it('are made by admins and auditors, of days that have begun, one at a time', async () => {
    const analyst = await staff(gateway, 'analyst');
    expect((await analyst.post(PATH, { day: today, livemode: true })).body).toMatchObject({ code: 'forbidden' });
    const tomorrow = dayOf(new Date(Date.now() + DAY_MS));
    expect((await auditor.post(PATH, { day: tomorrow, livemode: true })).body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'day' }] });
    const admin = await staff(gateway, 'admin');
    const answers = await Promise.all(Array.from({ length: 5 }, () => admin.post(PATH, { day: today, livemode: false })));
    const codes = answers.map(({ status, body }) => body.code ?? status);
    expect(codes).toContain(201);
    expect(codes.filter((code) => code !== 201 && code !== 'state_conflict')).toEqual([]);
    expect((await admin.post(PATH, { day: today, livemode: false })).status).toBe(201);
  });

  it('are made every night for the day before and for days that were missed, once', async () => {
    const yesterday = new Date(Date.now() - DAY_MS);
    const threeBack = dayOf(new Date(yesterday.getTime() - 2 * DAY_MS));
    await gateway.database.rows('delete from reconciliations');
    const system = { requestId: 'night', actor: { type: 'system' as const, id: 'reconciliation.daily' }, startedAt: 0 };
    const night = () => runInContext(system, () => gateway.app.get(ReconcileJob, { strict: false }).run());
    const kept = (livemode: boolean) => gateway.database.rows<{ day: string; made_at: Date }>(
      'select day::text, made_at from reconciliations where livemode = $1 order by day', [livemode],
    );
    await night();
    const first = await kept(true);
    expect(first.map(({ day }) => day)).toEqual([dayOf(yesterday)]);
    await night();
    expect(await kept(true)).toEqual(first);
    // What was compared before its day was over is compared again.
    await gateway.database.rows(
      "update reconciliations set day = $1, made_at = ($1::date + interval '12 hours') at time zone 'UTC' where livemode", [threeBack],
    );
    await night();
    expect((await kept(true)).map(({ day }) => day)).toEqual([threeBack, dayBefore(yesterday), dayOf(yesterday)]);
    expect((await kept(true)).every(({ made_at: at }) => at > first[0].made_at)).toBe(true);
    expect(await kept(false)).toHaveLength(1);
  });

  it('are made at the command line, which exits with 1 and names the first difference', async () => {
    const environment = { DATABASE_URL: gateway.database.url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, DATA_DIR: newFolder() };
    const reconcile = (...args: string[]) => runHere(environment, ['reconcile', ...args]);
    const good = await runProgram('cli', environment, ['reconcile', '--day', today]);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toBe(`${today}, test mode: the books agree with what providers and the chain say; 0 items were compared.\n`);
    const bad = await reconcile('--day', today, '--live');
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain('1 of 1 items differ. The first: generic, arrivals that the provider has told of: missing_at_provider ref_of_nobody (dep_');
    expect(bad.stdout).toContain('): told nothing, booked 6.00 USD; kept as an unmatched deposit.\n');
    const { code, stdout } = await reconcile('--day', today, '--live', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({ ok: false, differences: 1, first: expect.objectContaining({ reference: 'ref_of_nobody' }) })]);
    expect(await reconcile('--day', '2026-02-30')).toMatchObject({ code: 64, stderr: expect.stringContaining('Expected a day that has begun') });
  }, 60_000);
});
