import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { CheckLedgerJob } from '../src/ledger/check-ledger.job';
import { RefreshFigures } from '../src/operations/figures/refresh-figures';
import { UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { isMetric, Metrics } from '../src/platform/observability/metrics';
import { METRICS } from '../src/platform/observability/metric-definitions';
import { eventually } from './support/eventually';
import { withFunds } from './support/funds';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { scrape, valueOf } from './support/metrics-reader';
import { from, knockOften, newIp } from './support/outsider';
import { callJson, member, PASSWORD, staff, totpCode, type TestPerson } from './support/people';
import { deliver, genericWebhook, secondsFromNow, signedGenerically, stripeWebhook } from './support/providers';
import { Receiver, status } from './support/receiver';

const TOKEN = 'a-token-that-only-prometheus-has';
const order = { amount: '25.00', currency: 'USD', method: 'simulated' };
const system = { requestId: 'test', actor: { type: 'system' as const }, startedAt: 0 };
type Labels = Record<string, string>;

describe('metrics', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let admin: TestPerson;
  let receiver: Receiver;

  beforeAll(async () => {
    const environment = { TRUSTED_PROXIES: '127.0.0.1/32', METRICS_TOKEN: `${TOKEN},the-token-before-that-one`, STRIPE_WEBHOOK_ALLOWED_IPS: '192.0.2.0/24' };
    gateway = await Gateway.start({ environment });
    merchant = await gateway.merchant();
    admin = await staff(gateway, 'admin');
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    await receiver.stop();
    await gateway.stop();
  });

  const read = async (name: string, labels: Labels = {}) => valueOf((await scrape(gateway)).samples, name, labels);
  /** How much the series rises by what is done. */
  const rise = async (name: string, labels: Labels, cause: () => Promise<unknown>, by = 1) => {
    const before = await read(name, labels);
    await cause();
    await eventually(async () => (await read(name, labels)) >= before + by);
    expect(await read(name, labels)).toBe(before + by);
  };
  const refreshed = async (name: string, labels: Labels = {}) => {
    await gateway.app.get(RefreshFigures).refresh();
    return read(name, labels);
  };
  const login = (email: string, password: string, ip = newIp()) => callJson(`${gateway.url}/v1/auth/login`, 'POST', { email, password }, from(ip));

  describe('are shown', () => {
    const ask = (headers: Labels) => fetch(`${gateway.url}/metrics`, { headers });

    it.each([
      ['to this machine', {}],
      ['elsewhere with the token', { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '192.0.2.77' }],
      ['with the token that is being replaced', { authorization: 'bearer the-token-before-that-one', 'x-forwarded-for': '192.0.2.78' }],
    ])('%s', async (_, headers) => {
      const answer = await ask(headers);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
      expect(await answer.text()).toContain('# TYPE cpgateway_http_requests_total counter');
    });

    it.each<[string, Labels]>([
      ['elsewhere without a token', {}],
      ['with a wrong token', { authorization: `Bearer ${TOKEN}x` }],
      ['with the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
      ['with both tokens at once', { authorization: `Bearer ${TOKEN},the-token-before-that-one` }],
      ['with the token in another scheme', { authorization: `Basic ${TOKEN}` }],
      ['with an empty token', { authorization: 'Bearer ' }],
    ])('to nobody %s', async (_, headers) => {
      const answer = await ask({ 'x-forwarded-for': newIp(), ...headers });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(await answer.json()).toMatchObject({ code: 'unauthenticated' });
    });

    it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-proto', 'x-forwarded-host', 'via'])(
      'to nobody for whom a proxy on this machine asks: %s', async (header) => {
        expect((await ask({ [header]: '127.0.0.1' })).status).toBe(401);
      },
    );
  });

  describe('rise with', () => {
    const known = (headers: Labels = {}) => deliver(gateway.url, genericWebhook({ paymentId: `pay_${'0'.repeat(32)}`, amount: '1.00', reference: randomUUID() }), headers);

    it('answers, by route and status', async () => {
      const route = { method: 'GET', route: '/v1/payments/:id' };
      await rise('cpgateway_http_requests_total', { ...route, status: '404' }, () => merchant.get(`/v1/payments/pay_${'1'.repeat(32)}`));
      await rise('cpgateway_http_request_duration_seconds_count', route, () => merchant.get(`/v1/payments/pay_${'1'.repeat(32)}`));
    });

    it('addresses that nobody has, under one name', async () => {
      await rise('cpgateway_http_requests_total', { route: 'other', status: '404' }, () => knockOften(`${gateway.url}/etc/${randomUUID()}`, from(newIp()), 2), 2);
    });

    it('failures of ours, which the security log keeps by route', async () => {
      const path = '/v1/webhook-endpoints';
      const fail = async () => {
        await gateway.database.rows('alter table webhook_endpoints rename to webhook_endpoints_away');
        for (let time = 0; time < 3; time += 1) expect((await merchant.get(path)).status).toBe(500);
        await gateway.database.rows('alter table webhook_endpoints_away rename to webhook_endpoints');
      };
      const before = await read('cpgateway_security_events_total', { kind: 'api.error', severity: 'medium' });
      await rise('cpgateway_http_requests_total', { method: 'GET', route: path, status: '500' }, fail, 3);
      expect(await read('cpgateway_security_events_total', { kind: 'api.error', severity: 'medium' })).toBe(before + 3);
      const kept = () => gateway.database.rows<{ count: string; action: string }>(
        "select sum(count) as count, max(action) as action from security_events where kind = 'api.error' and source = $1", [`GET ${path}`],
      );
      await eventually(async () => (await kept())[0].count === '3');
      expect((await kept())[0].action).toBe('answered 500 internal_error');
    });

    it('wrong passwords', async () => {
      const wrong = () => login(`${randomUUID()}@people.example`, 'not-the-right-one');
      await rise('cpgateway_failed_logins_total', { factor: 'password' }, wrong);
      await rise('cpgateway_security_events_total', { kind: 'login.failed', severity: 'medium' }, wrong);
    });

    it('wrong second factors', async () => {
      const person = await staff(gateway, 'auditor');
      const { body } = await login(person.email, PASSWORD);
      const code = String((Number(await totpCode(person.totpSecret!)) + 1) % 1_000_000).padStart(6, '0');
      const guess = () => callJson(`${gateway.url}/v1/auth/login/2fa`, 'POST', { ticket: body.ticket, code }, from(newIp()));
      await rise('cpgateway_failed_logins_total', { factor: 'second_factor' }, guess);
    });

    it('limits that are used up, by class and route', async () => {
      const cause = () => knockOften(`${gateway.url}/health/live`, from(newIp()), 102);
      await rise('cpgateway_rate_limit_exceeded_total', { limit: 'health', route: '/health/live' }, cause, 2);
    });

    it.each<[string, () => Promise<unknown>]>([
      ['refusals', () => knockOften(`${gateway.url}/v1/payments`, from(newIp()), 100)],
      ['staff_logins', async () => {
        const [victim, ip] = [await staff(gateway, 'approver'), newIp()];
        for (let time = 0; time < 5; time += 1) await login(victim.email, 'not-the-right-one', ip);
      }],
      ['person', () => admin.post('/v1/admin/blocks', { address: '198.51.100.9', reason: 'attacks' })],
    ])('addresses that are blocked: %s', async (cause, provoke) => {
      const blocked = await refreshed('cpgateway_blocked_addresses');
      await rise('cpgateway_address_blocks_total', { cause }, provoke);
      expect(await refreshed('cpgateway_blocked_addresses')).toBe(blocked + 1);
    });

    it('events of providers that are taken, once and again', async () => {
      const event = genericWebhook({ paymentId: `pay_${'0'.repeat(32)}`, amount: '1.00', reference: randomUUID() });
      const source = 'generic';
      await rise('cpgateway_webhooks_received_total', { source, outcome: 'accepted' }, () => deliver(gateway.url, event, from(newIp())));
      await rise('cpgateway_webhooks_received_total', { source, outcome: 'duplicate' }, () => deliver(gateway.url, event, from(newIp())));
      await eventually(async () => (await refreshed('cpgateway_inbox_events', { status: 'quarantined' })) > 0);
    });

    const body = JSON.stringify({ id: randomUUID() });
    it.each<[string, string, () => Promise<unknown>]>([
      ['signature_mismatch', 'generic', () => deliver(gateway.url, signedGenerically(body, { secret: 'another-secret-than-ours' }), from(newIp()))],
      ['signature_missing', 'generic', () => deliver(gateway.url, { source: 'generic', body, headers: {} }, from(newIp()))],
      ['signature_malformed', 'generic', () => known({ 'x-webhook-signature': 'zz', ...from(newIp()) })],
      ['timestamp_out_of_window', 'generic', () => deliver(gateway.url, signedGenerically(body, { timestamp: secondsFromNow(-400) }), from(newIp()))],
      ['malformed', 'generic', () => deliver(gateway.url, signedGenerically(body), from(newIp()))],
      ['ip_not_allowed', 'stripe', () => deliver(gateway.url, stripeWebhook({ intent: 'pi_1', amount: 1 }), from(newIp()))],
      ['unknown_source', 'other', () => deliver(gateway.url, { source: 'nobody', body, headers: {} }, from(newIp()))],
      ['event_conflict', 'generic', async () => {
        const event = { id: randomUUID(), paymentId: `pay_${'0'.repeat(32)}`, reference: 'same' };
        for (const amount of ['1.00', '2.00']) await deliver(gateway.url, genericWebhook({ ...event, amount }), from(newIp()));
      }],
    ])('events of providers that are refused: %s of %s', async (reason, source, provoke) => {
      const refused = await read('cpgateway_webhooks_received_total', { source, outcome: 'refused' });
      await rise('cpgateway_webhook_verification_failures_total', { source, reason }, provoke);
      expect(await read('cpgateway_webhooks_received_total', { source, outcome: 'refused' })).toBe(refused + 1);
    });

    it.each<[string, string, number | undefined]>([['delivered', '/good', 204], ['status', '/bad', 503], ['redirect', '/moved', 302], ['connect', '/away', undefined]])(
      'attempts to deliver: %s', async (outcome, path, answer) => {
        const subscriber = await gateway.merchant();
        if (answer) receiver.from(path, status(answer));
        const away = await Receiver.start();
        await away.stop();
        const url = (answer ? receiver : away).url(path);
        expect((await subscriber.post('/v1/webhook-endpoints', { url, events: ['payment.created'] })).status).toBe(201);
        const timed = await read('cpgateway_webhook_attempt_duration_seconds_count');
        await rise('cpgateway_webhook_attempts_total', { outcome }, () => subscriber.post('/v1/payments', order));
        expect(await read('cpgateway_webhook_attempt_duration_seconds_count')).toBe(timed + 1);
        if (outcome === 'status') await eventually(async () => (await refreshed('cpgateway_webhook_deliveries_pending', { state: 'later' })) > 0);
      },
    );

    it('withdrawals, by what becomes of them, and with those that wait', async () => {
      const { merchant: owner, request } = await withFunds(gateway);
      const waiting = await refreshed('cpgateway_withdrawals_waiting', { status: 'pending_review', mode: 'test' });
      let id = '';
      await rise('cpgateway_withdrawals_total', { status: 'pending_review', mode: 'test' }, async () => (id = await request()));
      expect(await refreshed('cpgateway_withdrawals_waiting', { status: 'pending_review', mode: 'test' })).toBe(waiting + 1);
      await rise('cpgateway_withdrawals_total', { status: 'canceled', mode: 'test' }, () => owner.post(`/v1/withdrawals/${id}/cancel`));
      expect(await refreshed('cpgateway_withdrawals_waiting', { status: 'pending_review', mode: 'test' })).toBe(waiting);
    });
  });

  describe('tell from the database', () => {
    it('how many sessions people have at once', async () => {
      const person = await member(gateway, merchant, 'viewer');
      const before = await refreshed('cpgateway_sessions');
      const several = await refreshed('cpgateway_people_signed_in', { sessions: '6_to_10' });
      for (let time = 0; time < 6; time += 1) expect((await login(person.email, PASSWORD)).body).toMatchObject({ token_type: 'Bearer' });
      expect(await refreshed('cpgateway_sessions')).toBe(before + 6);
      expect(await refreshed('cpgateway_people_signed_in', { sessions: '6_to_10' })).toBe(several + 1);
      expect(await refreshed('cpgateway_sessions_per_person_max')).toBe(7);
      await person.call('DELETE', '/v1/auth/sessions');
      expect(await refreshed('cpgateway_people_signed_in', { sessions: '6_to_10' })).toBe(several);
    });

    it('whether every change has its audit event', async () => {
      const { body } = await merchant.post<{ id: string }>('/v1/payments', order);
      expect(await refreshed('cpgateway_audit_completeness_ratio', { subject: 'payment' })).toBe(1);
      await gateway.database.rows(`begin; set local session_replication_role = 'replica'; delete from audit_events where object_id = '${body.id}'; commit`);
      const ratio = await refreshed('cpgateway_audit_completeness_ratio', { subject: 'payment' });
      const payments = await gateway.database.value<number>('select count(*)::int from payments');
      expect(ratio).toBeCloseTo((payments - 1) / payments, 6);
    });

    it('how deep the queue is', async () => {
      const add = (options: string) => gateway.database.rows(`select graphile_worker.add_job('mail.send', '{}', run_at => now() + interval '1 day' ${options})`);
      const [scheduled, failed] = [await refreshed('cpgateway_jobs', { state: 'scheduled' }), await read('cpgateway_jobs', { state: 'failed' })];
      await add('');
      await add(", job_key => 'given-up'");
      await gateway.database.rows("update graphile_worker._private_jobs set attempts = max_attempts where key = 'given-up'");
      expect(await refreshed('cpgateway_jobs', { state: 'scheduled' })).toBe(scheduled + 1);
      expect(await read('cpgateway_jobs', { state: 'failed' })).toBe(failed + 1);
    });

    it('when the ledger was checked, and how that ended', async () => {
      expect(await refreshed('cpgateway_ledger_check_ok')).toBe(0);
      await runInContext(system, () => gateway.app.get(CheckLedgerJob).run());
      expect(await refreshed('cpgateway_ledger_check_ok')).toBe(1);
      expect(Math.abs((await read('cpgateway_ledger_check_timestamp_seconds')) - Date.now() / 1000)).toBeLessThan(60);
      expect(await read('cpgateway_ledger_check_duration_seconds')).toBeGreaterThan(0);
      expect(Math.abs((await read('cpgateway_figures_timestamp_seconds')) - Date.now() / 1000)).toBeLessThan(60);
    });
  });

  it('do not count what was rolled back', async () => {
    const done = jest.fn();
    const change = (fails: boolean) => runInContext(system, () => gateway.app.get(UnitOfWork).run(async (tx) => {
      tx.afterCommit(done);
      expect(done).not.toHaveBeenCalled();
      if (fails) await tx.query('select 1 / 0');
    }));
    await expect(change(true)).rejects.toThrow('division by zero');
    expect(done).not.toHaveBeenCalled();
    await change(false);
    expect(done).toHaveBeenCalledTimes(1);
  });

  it('are those of the table and of Node, and nothing that names anybody', async () => {
    gateway.app.get(Metrics).set('cpgateway_fraud_detection_enabled', {}, 1);
    const { text, samples } = await scrape(gateway);
    expect(valueOf(samples, 'cpgateway_fraud_detection_enabled')).toBe(1);
    const shown = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(shown.filter((name) => name.startsWith('cpgateway_')).sort()).toEqual(Object.keys(METRICS).sort());
    expect(shown.filter((name) => !/^(cpgateway|process|nodejs)_/.test(name))).toEqual([]);
    expect(samples.map(({ name }) => name).filter((name) => name.startsWith('cpgateway_') && !isMetric(name))).toEqual([]);
    expect(samples).toContainEqual({ name: 'cpgateway_build_info', labels: { version: expect.stringMatching(/^\d+\.\d+\.\d+$/), node: process.version }, value: 1 });
    const values = [...new Set(samples.flatMap(({ labels }) => Object.values(labels)))];
    const personal = (value: string) => value.includes('@') || isIP(value) !== 0 || /[0-9a-f]{12}|[a-z]{2,3}_[0-9a-f]{8}/.test(value) || /[A-Za-z0-9+/]{32}/.test(value);
    expect(values.filter(personal)).toEqual([]);
    expect(samples.length).toBeLessThan(5_000);
    const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (promtool.error) process.stderr.write('promtool is not on this machine: the text was not checked with it\n');
    else expect([promtool.status, promtool.stdout + promtool.stderr]).toEqual([0, '']);
  });
});
