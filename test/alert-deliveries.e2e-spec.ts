import { Webhook } from 'standardwebhooks';
import type { AlertWithDeliveries } from '../src/operations/alerts/alerts.dto';
import { webhookSecrets } from '../src/operations/alerts/channels/webhook-channel';
import { SendTestAlert } from '../src/operations/alerts/send-test-alert';
import { runInContext } from '../src/platform/http/request-context';
import { ALERT_EMAIL, AlertChannelsFixture, lookForAlerts, securityEvent } from './support/alert-channels';
import { built } from './support/built';
import { TestDatabase } from './support/database';
import { eventually } from './support/eventually';
import { RETRY_AFTER_SECONDS } from './support/fake-alert-channels';
import type { Gateway } from './support/gateway';
import { staff, type TestPerson } from './support/people';
import { ServerProcess } from './support/server-process';

const ALL = ['email', 'webhook', 'slack', 'pagerduty', 'telegram'];
const PATH = '/v1/admin/audit/alerts';

describe('alerts by five channels', () => {
  const log: string[] = [];
  let channels: AlertChannelsFixture;
  let database: TestDatabase;
  let gateway: Gateway;
  let admin: TestPerson;
  let analyst: TestPerson;

  beforeAll(() => built(), 240_000);
  beforeAll(async () => {
    channels = await AlertChannelsFixture.start();
    database = await TestDatabase.create();
    gateway = await channels.gateway({ database, log });
    admin = await staff(gateway, 'admin');
    analyst = await staff(gateway, 'analyst');
  });
  beforeEach(async () => {
    await database.rows('truncate alert_deliveries, alerts, security_events');
    channels.reset();
  });
  afterAll(async () => {
    await gateway.stop();
    await database.drop();
    await channels.stop();
  });

  /** Raises an alert and answers its id. */
  const raised = async (kind: string, severity = 'critical', more: { source?: string; count?: number } = {}) => {
    await securityEvent(database, kind, severity, more);
    await lookForAlerts(gateway);
    return database.value<string>('select id from alerts order by id desc limit 1');
  };
  const shown = async (id: string) => (await admin.get<AlertWithDeliveries>(`${PATH}/${id}`)).body;
  /** Does not wait for others that might be raised together with it. */
  const hurry = () => database.rows(
    `with d as (update alert_deliveries set next_attempt_at = now() where status = 'pending' and attempts = 0)
     update graphile_worker._private_jobs set run_at = now() where key like 'alerts.send:%' and run_at < now() + interval '4 seconds'`,
  );
  /** Waits until nothing of an alert is under way any more. */
  const settled = async (id: string) => {
    const open = "select count(*)::int from alert_deliveries where alert_id = $1 and status in ('pending', 'sending')";
    await eventually(async () => (await database.value<number>(open, [id])) === 0, 15_000);
    return shown(id);
  };
  const of = ({ deliveries }: AlertWithDeliveries) => deliveries.map(({ channel, stage, status, attempts }) => [channel, stage, status, attempts].join(' ')).sort();

  it('arrive once on each, in its own form', async () => {
    const id = await raised('ledger.fault');
    await hurry();
    await Promise.all([lookForAlerts(gateway), lookForAlerts(gateway)]);
    const alert = await settled(id);
    expect(of(alert)).toEqual(ALL.map((channel) => `${channel} trigger sent 1`).sort());
    expect(channels.counts()).toEqual([1, 1, 1, 1, 1]);
    const [[mail], [hook], [slack], [incident], [chat]] = [channels.mails, channels.receiver.taken, channels.slack.taken, channels.pagerDuty.taken, channels.telegram.taken];
    expect(mail).toMatchObject({ recipients: [ALERT_EMAIL], subject: '[critical] 1 faults of the ledger within 1 hour' });
    for (const text of [mail.text, slack.body.text, chat.body.text]) expect(text).toMatch(/^\[critical\] 1 faults of the ledger within 1 hour\n1 so far; /);
    expect(incident.body).toMatchObject({ event_action: 'trigger', dedup_key: id, payload: { severity: 'critical', class: 'ledger_fault' } });
    const [secret] = webhookSecrets(gateway.settings.encryptionMasterKeys);
    const { type, data } = new Webhook(secret).verify(hook.raw, hook.headers) as { type: string; data: { alerts: object[] } };
    expect([type, data.alerts]).toEqual(['alert.raised', [expect.objectContaining({ id, rule: 'ledger_fault', severity: 'critical', count: 1 })]]);
    expect(() => new Webhook(secret).verify(hook.raw.replace('critical', 'low'), hook.headers)).toThrow();
  });

  it('go together when they come together, and not again within the cool-down', async () => {
    await securityEvent(database, 'ledger.fault', 'critical');
    await lookForAlerts(gateway);
    const id = await raised('limits.redis_lost', 'high', { source: '<!channel> & others' });
    await settled(id);
    expect(channels.counts()).toEqual([1, 1, 1, 2, 1]);
    expect(channels.mails[0].subject).toBe('[critical] 1 faults of the ledger within 1 hour and 1 more alert');
    expect(channels.slack.taken[0].body.text).toMatch(/^2 alerts were raised together\.\n\n\[critical\][^]*\n\n\[high\] 1 losses of Redis/);
    expect((channels.receiver.taken[0].body as { data: { alerts: object[] } }).data.alerts).toHaveLength(2);
    await securityEvent(database, 'limits.redis_lost', 'high', { count: 7 });
    await lookForAlerts(gateway);
    expect(await shown(id)).toMatchObject({ count: 8 });
    expect(await database.value("select count(*)::int from alert_deliveries where status in ('pending', 'sending')")).toBe(0);
  });

  it('come after trouble, and not before the channel has asked for', async () => {
    channels.slack.troubles.push('slow_down');
    channels.telegram.troubles.push('slow_down');
    channels.pagerDuty.troubles.push(500);
    channels.receiver.troubles.push('drop');
    const id = await raised('limits.redis_lost', 'high');
    await hurry();
    await eventually(() => channels.slack.arrived.length + channels.telegram.arrived.length === 2);
    // One that is raised meanwhile keeps to it as well.
    const next = await raised('deposit.unmatched', 'high');
    expect(of(await settled(id))).toEqual([
      'email trigger sent 1', 'pagerduty trigger sent 2', 'slack trigger sent 2', 'telegram trigger sent 2', 'webhook trigger sent 2',
    ]);
    expect(of(await settled(next))).toEqual(ALL.map((channel) => `${channel} trigger sent 1`).sort());
    for (const fake of [channels.slack, channels.telegram]) {
      const [first, second] = fake.arrived;
      expect(second.atMs - first.atMs).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1000);
    }
    const ids = channels.receiver.arrived.filter(({ raw }) => raw.includes(id)).map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([ids[0], ids[0]]);
  });

  it('end where a channel refuses for good; the others are told that, and nobody is told the secret', async () => {
    channels.telegram.troubles.push(400);
    const id = await raised('limits.redis_lost', 'high');
    await hurry();
    const failed = await settled(id);
    expect(of(failed)).toContain('telegram trigger failed 1');
    expect(failed.deliveries.find(({ channel }) => channel === 'telegram')).toMatchObject({ last_error: 'The receiver answered 400: upstream trouble' });
    await eventually(async () => {
      await lookForAlerts(gateway);
      return database.value("select id from alerts where rule = 'alert_channel_failing'");
    });
    const [told] = await database.rows<{ id: string; group_key: string }>("select id, group_key from alerts where rule = 'alert_channel_failing'");
    expect(told.group_key).toBe('telegram');
    await hurry();
    expect(of(await settled(told.id))).toEqual(ALL.filter((name) => name !== 'telegram').map((channel) => `${channel} trigger sent 1`).sort());
    expect(channels.telegram.arrived).toHaveLength(1);
    expect(log.filter((line) => /secret-of-the|receiver-secret|R0123456789/.test(line))).toEqual([]);
    expect(log.some((line) => line.includes('alert not sent'))).toBe(true);
  });

  it('escalate to one channel after the other until somebody takes them', async () => {
    const id = await raised('circuit_breaker.tripped');
    await hurry();
    const { next_escalation_at: due } = await settled(id);
    expect(Math.abs(Date.parse(due!) - Date.now() - 900_000)).toBeLessThan(30_000);
    const pass = async () => {
      await database.rows("update alerts set next_escalation_at = now() - interval '1 second' where id = $1 and next_escalation_at is not null", [id]);
      await Promise.all([lookForAlerts(gateway), lookForAlerts(gateway)]);
    };
    await pass();
    expect(await settled(id)).toMatchObject({ escalation_level: 1 });
    expect(channels.counts()).toEqual([1, 1, 1, 2, 1]);
    await pass();
    expect(of(await settled(id)).filter((line) => line.includes('escalation'))).toEqual(['pagerduty escalation sent 1', 'telegram escalation sent 1']);
    expect(channels.telegram.taken[1].body.text).toMatch(/^Nobody has acknowledged: \[critical\] 1 trips of the circuit breaker/);
    const taken = await analyst.post<AlertWithDeliveries>(`${PATH}/${id}/acknowledge`, {});
    expect(taken).toMatchObject({ status: 200, body: { status: 'acknowledged', acknowledged_by: analyst.id, next_escalation_at: null } });
    await pass();
    expect(await settled(id)).toMatchObject({ escalation_level: 2 });
  });

  it('are taken and ended by admins and analysts, and incidents elsewhere with them', async () => {
    const id = await raised('ledger.fault');
    await hurry();
    await settled(id);
    for (const role of ['auditor', 'approver'] as const) {
      const reader = await staff(gateway, role);
      expect((await reader.get(`${PATH}/${id}`)).status).toBe(200);
      expect((await reader.get<{ data: object[] }>(`${PATH}?status=open&severity=critical&rule=ledger_fault`)).body.data).toHaveLength(1);
      expect((await reader.get<{ data: object[] }>(`${PATH}?status=resolved`)).body.data).toEqual([]);
      expect(await reader.post(`${PATH}/${id}/acknowledge`, {})).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(await reader.post(`${PATH}/${id}/resolve`, { note: 'no' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect((await admin.post(`${PATH}/${id}/acknowledge`, { note: 'looking' })).body).toMatchObject({ status: 'acknowledged', note: 'looking' });
    expect((await analyst.post(`${PATH}/${id}/acknowledge`, {})).body).toMatchObject({ acknowledged_by: admin.id });
    await eventually(() => channels.pagerDuty.incidents.get(id) === 'acknowledged');
    expect(await analyst.post(`${PATH}/${id}/resolve`, {})).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    const ended = await analyst.post(`${PATH}/${id}/resolve`, { note: 'a test of ours' });
    expect(ended.body).toMatchObject({ status: 'resolved', resolved_by: analyst.id, note: 'a test of ours', next_escalation_at: null });
    await eventually(() => channels.pagerDuty.incidents.get(id) === 'resolved');
    expect(of(await settled(id)).filter((line) => !line.includes('trigger'))).toEqual([
      'pagerduty acknowledge sent 1', 'pagerduty resolve sent 1', 'webhook acknowledge sent 1', 'webhook resolve sent 1',
    ]);
    for (const act of ['acknowledge', 'resolve']) {
      expect(await admin.post(`${PATH}/${id}/${act}`, { note: 'again' })).toMatchObject({ status: 409, body: { code: 'state_conflict' } });
    }
    const audited = await database.rows('select kind, actor_id from audit_events where object_id = $1 order by id', [id]);
    expect(audited).toEqual([{ kind: 'alert.acknowledged', actor_id: admin.id }, { kind: 'alert.resolved', actor_id: analyst.id }]);
    const again = await raised('ledger.fault', 'critical', { source: 'elsewhere' });
    expect(again).not.toBe(id);
    await hurry();
    await settled(again);
  });

  it('can be tried at any time, and each channel says what it made of it', async () => {
    const send = () => runInContext({ requestId: 'test', startedAt: 0 }, () => gateway.app.get(SendTestAlert).send());
    expect(await send()).toEqual(ALL.map((channel) => ({ channel, sent: true, error: null })));
    expect(channels.counts()).toEqual([1, 1, 1, 2, 1]);
    expect(channels.pagerDuty.taken.map(({ body }) => body.event_action)).toEqual(['trigger', 'resolve']);
    channels.slack.troubles.push(404);
    channels.telegram.troubles.push('slow_down');
    const tested = await send();
    expect(tested.filter(({ sent }) => !sent).map(({ channel, error }) => [channel, error])).toEqual([
      ['slack', 'The receiver answered 404: upstream trouble'], ['telegram', expect.stringContaining('retry after')],
    ]);
    expect(await database.value("select count(*)::int from audit_events where kind = 'alert.tested'")).toBe(2);
    expect(await database.value('select count(*)::int from alerts')).toBe(0);
  });

  it('reach the others while one hangs, and that one after a restart', async () => {
    channels.slack.troubles.push('hang');
    const id = await raised('limits.redis_lost', 'high');
    await hurry();
    await eventually(() => channels.counts().join() === '1,1,0,1,1' && channels.slack.arrived.length === 1);
    expect((await shown(id)).deliveries.find(({ channel }) => channel === 'slack')).toMatchObject({ status: 'sending', attempts: 1 });
    const before = performance.now();
    await gateway.app.close();
    expect(performance.now() - before).toBeLessThan(5_000);
    gateway = await channels.gateway({ database, log });
    await eventually(() => channels.slack.taken.length === 1);
    admin = admin.with({ url: gateway.url });
    expect(of(await settled(id))).toContain('slack trigger sent 2');
    expect(channels.counts()).toEqual([1, 1, 1, 1, 1]);
  });

  // Last, because it takes the place of the gateway of the others.
  it('outlive a process that is killed before it sends, and while it sends', async () => {
    const start = () => ServerProcess.start(database.url, gateway.settings.dataDir, { ...channels.environment, PAGERDUTY_ROUTING_KEY: '', TELEGRAM_BOT_TOKEN: '', ADMIN_CHAT_ID: '' });
    await gateway.app.close();
    const first = await start();
    await securityEvent(database, 'limits.redis_lost', 'high');
    const open = () => database.rows<{ channel: string; status: string }>('select channel, status from alert_deliveries');
    await eventually(async () => (await open()).length === 3);
    await first.kill();
    expect((await open()).map(({ status }) => status)).toEqual(['pending', 'pending', 'pending']);
    channels.slack.troubles.push('hang');
    const second = await start();
    // Noted as well as taken: what was taken and not noted would go out again, as promised.
    await eventually(async () => channels.slack.arrived.length === 1 && (await open()).filter(({ status }) => status === 'sent').length === 2);
    await second.kill();
    expect(channels.counts()).toEqual([1, 1, 0, 0, 0]);
    expect((await open()).find(({ channel }) => channel === 'slack')).toMatchObject({ status: 'sending' });
    // The lease ends.
    await database.rows("update alert_deliveries set next_attempt_at = now() where status = 'sending'");
    await database.rows("update graphile_worker._private_jobs set run_at = now() where key like 'alerts.send:%'");
    gateway = await channels.gateway({ database, log });
    await eventually(() => channels.counts().join() === '1,1,1,0,0');
    await eventually(async () => (await open()).every(({ status }) => status === 'sent'));
    expect(channels.slack.arrived).toHaveLength(2);
  }, 120_000);
});
