import type { AlertRule } from '../src/operations/alerts/rules/alert-rule';
import type { AlertObject } from '../src/operations/alerts/alerts.dto';
import { newId } from '../src/platform/identifiers';
import { lookForAlerts as look } from './support/alert-channels';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { callJson, staff, type TestPerson } from './support/people';

type Alert = Pick<AlertObject, 'rule' | 'severity' | 'title' | 'description' | 'figures' | 'status'> & { id: string; group_key: string; count: number };

describe('alert rules', () => {
  let gateway: Gateway;
  let elsewhere: Gateway;
  let admin: TestPerson;
  let merchant: Merchant;
  let rules: AlertRule[];
  let endpoint: string;

  beforeAll(async () => {
    gateway = await Gateway.start();
    elsewhere = await Gateway.start({ database: gateway.database });
    admin = await staff(gateway, 'admin');
    merchant = await gateway.merchant();
    rules = await gateway.database.rows<AlertRule & Record<string, unknown>>('select * from alert_rules');
    const made = await merchant.post<{ id: string }>('/v1/webhook-endpoints', { url: 'http://127.0.0.1:1024/', events: ['*'] });
    endpoint = made.body.id;
    await merchant.post(`/v1/webhook-endpoints/${endpoint}/test`, {});
    // Its own attempt comes first, and no second one of it meanwhile.
    await eventually(async () => (await gateway.database.rows('select from webhook_attempts where error is not null')).length > 0);
    await gateway.database.rows("update webhook_deliveries set next_attempt_at = now() + interval '1 day'");
  });
  beforeEach(() => gateway.database.rows('truncate alert_deliveries, alerts, security_events, webhook_attempts'));
  afterAll(async () => {
    await elsewhere.stop();
    await gateway.stop();
  });

  const alerts = (rule: string) => gateway.database.rows<Alert>(
    'select id, rule, group_key, severity, title, description, figures, status, count::int from alerts where rule = $1 order by id', [rule],
  );
  const ruleOf = (name: string) => rules.find((rule) => rule.name === name)!;
  /** Rows of the security log, as its writer leaves them. */
  const happened = async (kind: string, severity: string, { count = 1, source = 'somewhere', actor = null as string | null, minutesAgo = 0 } = {}) => {
    const at = new Date(Date.now() - minutesAgo * 60_000);
    await gateway.database.rows(
      `insert into security_events (id, minute, kind, severity, source, actor_id, action, count, occurred_at, last_at)
       values ($1, $2, $3, $4, $5, $6, 'told', $7, $2, $2)`,
      [newId('sev', at.getTime()), at, kind, severity, source, actor, count],
    );
  };
  const attempts = (count: number, failed: boolean) => gateway.database.rows(
    `insert into webhook_attempts (client_id, livemode, delivery_id, attempt, error)
     select d.client_id, d.livemode, d.id, coalesce((select max(attempt) from webhook_attempts), 1000) + n, $2
       from (select * from webhook_deliveries where endpoint_id = $3 limit 1) d, generate_series(1, $1) n`,
    [count, failed ? 'status: The receiver answered 500 instead of 2xx.' : null, endpoint],
  );
  /** Lets the window of a rule pass for what is there. */
  const later = (seconds: number) => gateway.database.rows(
    `with a as (update alerts set first_at = first_at - $1 * interval '1 second', quiet_until = quiet_until - $1 * interval '1 second')
     update security_events set occurred_at = occurred_at - $1 * interval '1 second', minute = minute - $1 * interval '1 second'`, [seconds],
  );

  it('are there for everything that is to be told', () => {
    expect(Object.fromEntries(rules.map(({ name, threshold, window_seconds: seconds }) => [name, [threshold, seconds]]))).toEqual({
      failed_logins: [50, 3600], failed_logins_from_one_address: [10, 300], high_risk_transactions: [10, 3600], api_errors: [100, 3600],
      webhook_failures: [20, 3600], webhook_failure_rate: [5, 3600], invalid_signatures: [5, 3600], invalid_addresses: [10, 3600],
      replays: [1, 3600], rate_limit_violations: [50, 3600], rate_limit_violations_of_one_user: [10, 3600], pci_violations: [1, 3600],
      data_exposure: [1, 3600], sensitive_operations: [5, 3600], disabled_api_version: [1, 3600], critical_events: [1, 3600],
      circuit_breaker: [1, 3600], chain_disagreement: [1, 3600], redis_away: [1, 3600], ledger_fault: [1, 3600], audit_fault: [1, 3600],
      unmatched_money: [1, 3600], alert_channel_failing: [1, 3600],
    });
    const escalation = { after_seconds: 900, channels: ['pagerduty', 'telegram', 'slack', 'email', 'webhook'] };
    for (const rule of rules) expect([rule.name, rule.escalation]).toEqual([rule.name, rule.severity === 'critical' ? escalation : null]);
  });

  it('raise at their threshold, once on two instances, and not one below', async () => {
    const counting = rules.filter(({ measure }) => measure === 'security_events' || measure === 'webhook_failures');
    expect(counting).toHaveLength(21);
    for (const { name, kinds, severities, threshold, severity, grouped_by: groupedBy } of counting) {
      await gateway.database.rows('delete from alert_deliveries; delete from alerts; delete from security_events');
      const level = severities[0] ?? 'low';
      const [kind, ...others] = kinds.length > 0 ? kinds : ['something.grave'];
      const told = { source: 'one', actor: 'usr_1' };
      const mine = async () => (await alerts(name)).filter(({ group_key: key }) => key !== 'two' && key !== 'usr_2');

      await happened(kind, level, { ...told, count: 1000, minutesAgo: 61 });
      if (threshold > 1) await happened(others[0] ?? kind, level, { ...told, count: threshold - 1, minutesAgo: 1 });
      // Another source or person makes no difference where each is counted alone.
      if (groupedBy === 'source' || groupedBy === 'actor') await happened(kind, level, { source: 'two', actor: 'usr_2', minutesAgo: 2 });
      await look(gateway);
      expect([name, await mine()]).toEqual([name, []]);

      await happened(kind, level, told);
      await Promise.all([look(gateway), look(elsewhere), look(elsewhere)]);
      const group = { all: '', kind, source: 'one', actor: 'usr_1' }[groupedBy];
      expect([name, await mine()]).toEqual([name, [expect.objectContaining({ group_key: group, severity, count: threshold, status: 'open' })]]);

      for (const each of [kind, ...others]) await happened(each, level, told);
      await look(gateway);
      expect([name, (await mine()).reduce((sum, { count }) => sum + count, 0)]).toEqual([name, threshold + 1 + others.length]);
    }
  }, 60_000);

  it('count failed attempts of outbound webhooks, and their share', async () => {
    await attempts(19, true);
    await look(gateway);
    expect([await alerts('webhook_failures'), await alerts('webhook_failure_rate')]).toEqual([[], []]);
    await attempts(1, true);
    await look(gateway);
    expect(await alerts('webhook_failures')).toEqual([expect.objectContaining({ count: 20, title: '20 webhook failures within 1 hour' })]);
    expect(await alerts('webhook_failure_rate')).toEqual([expect.objectContaining({ figures: expect.objectContaining({ attempts: 20, failures: 20 }) })]);
  });

  it.each([[380, 0], [379, 1]])('of 20 failures beside %i successes %i are more than 5 percent', async (successes, raised) => {
    await attempts(20, true);
    await attempts(successes, false);
    await look(gateway);
    expect(await alerts('webhook_failure_rate')).toHaveLength(raised);
  });

  it('see a spike of sensitive operations against the week before', async () => {
    const audited = (count: number, ago: string) => gateway.database.rows(
      `insert into audit_events (id, occurred_at, kind, actor_type)
       select 'aud_' || lpad(to_hex((extract(epoch from now() - $2::interval) * 1000)::bigint), 12, '0') || lpad(to_hex(n), 20, '0'),
              now() - $2::interval, 'api_key.created', 'system' from generate_series(1, $1) n`, [count, ago],
    );
    const had = await gateway.database.value<number>(
      `select count(*)::int from sensitive_operations(now() - interval '1 hour')`,
    );
    await audited(504, '3 days');
    await audited(14 - had, '10 minutes');
    await look(gateway);
    expect(await alerts('sensitive_operations')).toEqual([]);
    await audited(1, '1 minute');
    await look(gateway);
    expect(await alerts('sensitive_operations')).toEqual([
      expect.objectContaining({ count: 15, title: '15 sensitive operations within 1 hour, where 3 are usual' }),
    ]);
    const plan = await gateway.database.rows<Record<string, string>>(
      `explain select * from sensitive_operations(now() - interval '1 hour')`,
    );
    expect(plan.map((line) => Object.values(line)[0]).join('\n')).toContain('audit_events_sensitive');
  });

  it('add what comes within the cool-down, and raise again after it with new hits only', async () => {
    await happened('pci.card_number', 'high', { source: 'a' });
    await look(gateway);
    await happened('pci.card_number', 'high', { source: 'b', count: 4 });
    await Promise.all([look(gateway), look(elsewhere)]);
    const [first, ...others] = await alerts('pci_violations');
    expect(others).toEqual([]);
    expect(first).toMatchObject({ count: 5, figures: { sources: 2 } });
    expect(first.description).toMatch(/^5 so far; the alert is raised at 1 within 1 hour\./);
    await later(ruleOf('pci_violations').cooldown_seconds + 1);
    await look(gateway);
    expect(await alerts('pci_violations')).toHaveLength(1);
    await happened('pci.card_number', 'high', { source: 'c' });
    await look(gateway);
    expect((await alerts('pci_violations')).map(({ count }) => count)).toEqual([5, 1]);
  });

  it('tell a critical event by its own rule where it has one, else by the one for all', async () => {
    await happened('ledger.fault', 'critical');
    await happened('reconciliation.difference', 'critical');
    await look(gateway);
    expect(await alerts('ledger_fault')).toHaveLength(1);
    expect((await alerts('critical_events')).map(({ group_key: kind }) => kind)).toEqual(['reconciliation.difference']);
  });

  it('hold for what really happens at the door', async () => {
    const stripe = (n: number) => callJson(`${gateway.url}/v1/webhooks/stripe`, 'POST', { id: `evt_${n}` }, {
      'stripe-signature': `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}`,
    });
    for (let n = 0; n < 5; n += 1) expect((await stripe(n)).status).toBe(401);
    const card = { amount: '1.00', currency: 'USD', method: 'card', description: '4242 4242 4242 4242' };
    expect((await merchant.post('/v1/payments', card)).status).toBe(422);
    expect((await admin.get('/v1/admin/payments', { accept: 'text/csv' })).status).toBe(200);
    const names = ['invalid_signatures', 'pci_violations', 'data_exposure'];
    await eventually(async () => {
      await look(gateway);
      return (await gateway.database.value<number>('select count(*)::int from alerts where rule = any ($1)', [names])) === 3;
    });
    expect((await alerts('invalid_signatures'))[0].title).toBe('5 invalid signatures within 1 hour');
    expect((await alerts('data_exposure'))[0]).toMatchObject({ group_key: admin.id });
  });

  describe('changed by an admin', () => {
    const path = '/v1/admin/audit/alert-rules/failed_logins';
    const change = { threshold: 3, window_seconds: 600, cooldown_seconds: 120, channels: ['slack'], escalation: { after_seconds: 60, channels: ['email'] } };

    it('hold on every instance from then on, and the audit log says what they were', async () => {
      await happened('login.failed', 'medium', { count: 3 });
      await look(gateway);
      expect(await alerts('failed_logins')).toEqual([]);
      const before = ruleOf('failed_logins');
      const { status, body } = await admin.call('PATCH', path, { ...change, revision: before.revision });
      expect([status, body]).toEqual([200, expect.objectContaining({ ...change, revision: before.revision + 1, changed_by: admin.id, enabled: true })]);
      await look(elsewhere);
      expect(await alerts('failed_logins')).toHaveLength(1);
      const [audited] = await gateway.database.rows(`select actor_id, object_id, before, after from audit_events where kind = 'alert_rule.changed'`);
      expect(audited).toMatchObject({ actor_id: admin.id, object_id: 'failed_logins', before: { threshold: 50, revision: 1 }, after: { threshold: 3, revision: 2 } });
      expect((await admin.call('PATCH', path, { enabled: false })).body).toMatchObject({ enabled: false, revision: 3 });
      await later(4000);
      await happened('login.failed', 'medium', { count: 100 });
      await look(elsewhere);
      expect(await alerts('failed_logins')).toHaveLength(1);
      expect((await admin.get<{ data: { name: string }[] }>('/v1/admin/audit/alert-rules')).body.data).toHaveLength(rules.length);
    });

    it.each<[string, object, number, string]>([
      [path, {}, 422, 'validation_failed'], [path, { threshold: 0 }, 422, 'validation_failed'], [path, { window_seconds: 59 }, 422, 'validation_failed'],
      [path, { channels: ['pigeon'] }, 422, 'validation_failed'], [path, { channels: ['slack', 'slack'] }, 422, 'validation_failed'],
      [path, { escalation: { after_seconds: 60, channels: [] } }, 422, 'validation_failed'], [path, { kinds: ['a'] }, 422, 'validation_failed'],
      [path, { threshold: 5, revision: 1 }, 409, 'stale_revision'], ['/v1/admin/audit/alert-rules/nothing', { threshold: 5 }, 404, 'not_found'],
      ['/v1/admin/audit/alert-rules/webhook_failure_rate', { threshold: 100 }, 422, 'validation_failed'],
    ])('at %s are not changed by %j', async (at, body, status, code) => {
      expect(await admin.call('PATCH', at, body)).toMatchObject({ status, body: { code } });
    });

    it('are changed by nobody else, and not without a fresh second factor', async () => {
      const analyst = await staff(gateway, 'analyst');
      const stale = await staff(gateway, 'admin', { fresh: false });
      expect((await analyst.call('PATCH', path, { threshold: 9 })).body).toMatchObject({ code: 'forbidden' });
      expect((await stale.call('PATCH', path, { threshold: 9 })).body).toMatchObject({ code: 'two_factor_required' });
    });
  });
});
