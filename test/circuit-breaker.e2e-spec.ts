import { SecurityLog } from '../src/audit/security-log';
import { CircuitBreaker } from '../src/operations/circuit-breaker';
import { BREAKER_RULES, NEVER_COUNTED } from '../src/operations/circuit-breaker-rules';
import { runInContext } from '../src/platform/http/request-context';
import { newId } from '../src/platform/identifiers';
import { Gateway } from './support/gateway';
import { staff } from './support/people';

const MINUTE_MS = 60_000;

describe('the circuit breaker', () => {
  let gateway: Gateway;
  let elsewhere: Gateway;

  beforeAll(async () => {
    gateway = await Gateway.start();
    elsewhere = await Gateway.start({ database: gateway.database });
  });
  beforeEach(async () => {
    await gateway.database.rows('truncate switches, security_events');
    jest.spyOn(SecurityLog.prototype, 'write');
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => {
    await elsewhere.stop();
    await gateway.stop();
  });

  const look = (at: Gateway = gateway) =>
    runInContext({ requestId: 'test', actor: { type: 'system', id: 'circuit_breaker' }, startedAt: 0 }, () =>
      at.app.get(CircuitBreaker).sweep());
  /** Told by two sources, where it happened more than once, unless it says by how many. */
  const happened = async (kind: string, severity: string, { count = 1, minutesAgo = 0, sources = Math.min(count, 2) } = {}) => {
    for (let source = 0; source < sources; source += 1) {
      await told(kind, severity, { count: source === 0 ? count - sources + 1 : 1, minutesAgo });
    }
  };
  const told = async (kind: string, severity: string, { count, minutesAgo }: { count: number; minutesAgo: number }) => {
    const at = new Date(Date.now() - minutesAgo * MINUTE_MS);
    await gateway.database.rows(
      `insert into security_events (id, minute, kind, severity, source, action, count, occurred_at, last_at)
       values ($1, $2, $3, $4, $5, 'told', $6, $2, $2)`,
      [newId('sev', at.getTime()), at, kind, severity, newId('req'), count],
    );
  };
  const state = async () => {
    const [row] = await gateway.database.rows<{ paused: boolean; reason: string; changed_by: string }>(
      "select paused, reason, changed_by from switches where id = 'withdrawals'",
    );
    return row;
  };
  /** The log adds up what comes within a minute, so each trip is seen where it is told. */
  const trips = () =>
    jest.mocked(SecurityLog.prototype.write).mock.calls.map(([event]) => event).filter(({ kind }) => kind === 'circuit_breaker.tripped');

  describe.each(BREAKER_RULES)('at $what', ({ what, column, value, limit, minutes, sources }) => {
    const [kind, severity] = column === 'kind' ? [value, 'medium'] : ['webhook.event_conflict', value];

    it('does not let one source alone stop all clients, where it could', async () => {
      await happened(kind, severity, { count: limit, sources: 1 });
      await look();
      expect(await state()).toEqual(sources === undefined ? expect.objectContaining({ paused: true }) : undefined);
    });

    it(`does nothing below ${limit} within ${minutes} minutes`, async () => {
      await happened(kind, severity, { count: limit - 1 });
      await happened(kind, severity, { count: 1000, minutesAgo: minutes + 1 });
      await happened('access.forbidden', 'medium', { count: 1000 });
      await look();
      expect(await state()).toBeUndefined();
    });

    it(`pauses withdrawals at ${limit}, and says why`, async () => {
      await happened(kind, severity, { count: limit - 1, minutesAgo: minutes - 1 });
      await happened(kind, severity);
      await look();
      const reason = `the circuit breaker counted ${limit} ${what} within ${minutes} minutes`;
      expect(await state()).toEqual({ paused: true, reason, changed_by: 'circuit_breaker' });
      expect(trips()).toEqual([expect.objectContaining({
        severity: 'critical', source: 'circuit_breaker', details: expect.objectContaining({ value, count: String(limit) }),
      })]);
      const [audited] = await gateway.database.rows(
        "select actor_type, actor_id, after from audit_events where kind = 'switch.changed' order by id desc limit 1",
      );
      const after = { id: 'withdrawals', paused: true, reason };
      expect(audited).toMatchObject({ actor_type: 'system', actor_id: 'circuit_breaker', after });
      const merchant = await gateway.merchant();
      expect((await merchant.post('/v1/payments', { amount: '1.00', currency: 'USD', method: 'card' })).status).toBe(201);
      const asked = gateway.database.rows("select check_running('withdrawals', 'cli_1')");
      await expect(asked).rejects.toMatchObject({ code: 'CPG05', message: reason });
    });
  });

  it('trips once, however many instances look', async () => {
    await happened('webhook.event_conflict', 'critical', { count: 3 });
    await Promise.all([look(), look(elsewhere), look(), look(elsewhere)]);
    await look();
    expect(trips()).toHaveLength(1);
  });

  it('does not overrule people with what was there when they resumed, but with what comes after', async () => {
    await happened('webhook.event_conflict', 'critical', { count: 5, minutesAgo: 1 });
    await look();
    expect(await state()).toMatchObject({ paused: true });
    const admin = await staff(gateway, 'admin');
    const resume = { target: 'withdrawals', paused: false, reason: 'looked at: a test of the provider' };
    const resumed = await admin.post('/v1/admin/switches', resume);
    expect(resumed.status).toBe(200);
    await look();
    expect(await state()).toMatchObject({ paused: false, changed_by: admin.id });
    await happened('webhook.event_conflict', 'critical', { count: 3 });
    await look();
    expect(await state()).toMatchObject({ paused: true, changed_by: 'circuit_breaker' });
  });

  it('leaves the reason of people who have paused already', async () => {
    const admin = await staff(gateway, 'admin');
    await admin.post('/v1/admin/switches', { target: 'withdrawals', paused: true, reason: 'maintenance' });
    await happened('webhook.event_conflict', 'critical', { count: 5 });
    await look();
    expect(await state()).toMatchObject({ reason: 'maintenance', changed_by: admin.id });
  });

  it.each(NEVER_COUNTED)('is not tripped by %s', async (kind) => {
    await happened(kind, 'critical', { count: 100 });
    await look();
    expect(await state()).toBeUndefined();
  });
});
