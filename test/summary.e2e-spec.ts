import { randomUUID } from 'node:crypto';
import { CheckLedgerJob } from '../src/ledger/check-ledger.job';
import { runInContext } from '../src/platform/http/request-context';
import { idLowerBound } from '../src/platform/identifiers';
import { SummarySections } from '../src/platform/observability/summary-sections';
import type { SummaryObject } from '../src/operations/summary/summary.dto';
import { summaryObject } from '../src/operations/summary/summary.dto';
import { eventually } from './support/eventually';
import { withFunds } from './support/funds';
import { Gateway } from './support/gateway';
import { from, knockOften, newIp } from './support/outsider';
import { callJson, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { deliver, genericWebhook } from './support/providers';
import { Receiver, status } from './support/receiver';

const PATH = '/v1/admin/summary';
const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

describe('the summary for staff', () => {
  let gateway: Gateway;
  let admin: TestPerson;
  let receiver: Receiver;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { TRUSTED_PROXIES: '127.0.0.1/32' } });
    admin = await staff(gateway, 'admin');
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    await receiver.stop();
    await gateway.stop();
  });

  const read = async (query = '') => {
    const answer = await admin.get<SummaryObject>(PATH + query);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const parsed = async (query = '') => summaryObject.parse(await read(query));

  it('says of a fresh gateway that nothing has happened', async () => {
    const summary = await parsed();
    expect(summary).toMatchObject({
      object: 'summary', hours: 24, failed_logins: { passwords: 0, second_factors: 0 }, rate_limit_hits: 0, api_errors: 0, payments: [], withdrawals: [],
      webhooks: { outbound: { attempts: 0, success_rate: null }, inbound: { accepted: 0, success_rate: null } }, ledger_check: null,
      audit: { completeness: 1 }, security_events: { by_severity: { critical: 0 } },
    });
    expect(Date.parse(summary.to) - Date.parse(summary.from)).toBe(24 * 3_600_000);
    expect(Math.abs(Date.parse(summary.to) - Date.now())).toBeLessThan(60_000);
  });

  it('adds up payments and withdrawals by mode, status and currency', async () => {
    const { merchant, request } = await withFunds(gateway);
    const live = await gateway.merchant({ live: true });
    const [paid] = [await merchant.post<{ id: string }>('/v1/payments', order), await merchant.post('/v1/payments', order)];
    await merchant.post(`/v1/test/payments/${paid.body.id}/pay`);
    await live.post('/v1/payments', { amount: '1.50', currency: 'EUR', method: 'card' });
    const [, canceled] = [await request('10.00'), await request('2.50')];
    await merchant.post(`/v1/withdrawals/${canceled}/cancel`);
    const { payments, withdrawals, withdrawal_risk: risk, audit } = await parsed();
    expect(payments).toEqual([
      { livemode: true, status: 'pending', currency: 'EUR', count: 1, amount: '1.50' },
      { livemode: false, status: 'pending', currency: 'USD', count: 1, amount: '25.00' },
      { livemode: false, status: 'succeeded', currency: 'USD', count: 1, amount: '25.00' },
    ]);
    expect(withdrawals).toEqual([
      { livemode: false, status: 'canceled', currency: 'USDT', count: 1, amount: '2.500000' },
      { livemode: false, status: 'pending_review', currency: 'USDT', count: 1, amount: '10.000000' },
    ]);
    expect(risk.allow + risk.review).toBe(2);
    expect(audit).toMatchObject({ payments: { checked: 3, missing: 0 }, withdrawals: { checked: 2, missing: 0 }, completeness: 1 });
  });

  it('counts what was refused, failed and blocked', async () => {
    await callJson(`${gateway.url}/v1/auth/login`, 'POST', { email: 'nobody@people.example', password: 'not-the-right-one' }, from(newIp()));
    await knockOften(`${gateway.url}/health/live`, from(newIp()), 101);
    await knockOften(`${gateway.url}/v1/payments`, from(newIp()), 100);
    await admin.post('/v1/admin/blocks', { address: '198.51.100.9', reason: 'attacks' });
    await gateway.database.rows('alter table webhook_endpoints rename to webhook_endpoints_away');
    const { status: failed } = await (await gateway.merchant()).get('/v1/webhook-endpoints');
    await gateway.database.rows('alter table webhook_endpoints_away rename to webhook_endpoints');
    expect(failed).toBe(500);
    // Repetitions are added to the log a second later; refusals tighten the limit, so some of the hundred may be 429.
    const kept = (kinds: string) => gateway.database.value<number>(`select coalesce(sum(count), 0)::int from security_events where kind ${kinds}`);
    await eventually(async () => (await kept("in ('authentication.refused', 'rate_limit.exceeded')")) === 101 && (await kept("= 'api.error'")) === 1);
    const summary = await parsed();
    expect([summary.api_errors, summary.rate_limit_hits]).toEqual([1, await kept("= 'rate_limit.exceeded'")]);
    expect(summary.rate_limit_hits).toBeGreaterThanOrEqual(1);
    expect(summary).toMatchObject({ failed_logins: { passwords: 1 }, addresses: { blocked_now: 2, blocked_by_gateway: 1, blocked_by_people: 1 } });
    expect(summary.security_events.by_kind).toContainEqual({ kind: 'authentication.refused', severity: 'medium', count: await kept("= 'authentication.refused'") });
    const { low, medium, high, critical } = summary.security_events.by_severity;
    expect(low + medium + high + critical).toBe(summary.security_events.by_kind.reduce((sum, { count }) => sum + count, 0));
  });

  it('tells how many webhooks went through, in and out', async () => {
    const subscriber = await gateway.merchant();
    receiver.from('/bad', status(500));
    for (const path of ['/good', '/bad']) await subscriber.post('/v1/webhook-endpoints', { url: receiver.url(path), events: ['payment.created'] });
    await subscriber.post('/v1/payments', order);
    const event = genericWebhook({ paymentId: `pay_${'0'.repeat(32)}`, amount: '1.00', reference: randomUUID() });
    const wrong = { 'x-webhook-signature': '0'.repeat(64) };
    for (const more of [from(newIp()), from(newIp()), { ...wrong, ...from(newIp()) }]) await deliver(gateway.url, event, more);
    const { webhooks } = await eventually(async () => {
      const now = await parsed();
      return now.webhooks.outbound.attempts === 2 && now;
    });
    expect(webhooks).toEqual({
      outbound: { attempts: 2, delivered: 1, failed: 1, success_rate: 0.5 },
      inbound: { accepted: 1, duplicates: 1, refused: 1, success_rate: 2 / 3 },
    });
  });

  it('tells how things stand: sessions, queues, the last check of the ledger', async () => {
    await runInContext({ requestId: 'test', actor: { type: 'system' }, startedAt: 0 }, () => gateway.app.get(CheckLedgerJob).run());
    const { sessions, queues, ledger_check: check } = await parsed();
    expect(sessions).toEqual({ open: await gateway.database.value('select count(*)::int from sessions'), most_of_one_person: 1 });
    expect(queues).toMatchObject({ jobs: { failed: 0 }, inbox: { failed: 0 }, deliveries: { later: 1 } });
    expect(check).toMatchObject({ ok: true, age_seconds: expect.any(Number) });
    expect(check!.age_seconds).toBeLessThan(60);
  });

  it('leaves out what was before its time', async () => {
    const merchant = await gateway.merchant();
    const { body } = await merchant.post<{ id: string }>('/v1/payments', { ...order, currency: 'GBP' });
    const before = `${idLowerBound('pay', new Date(Date.now() - 2 * 3_600_000)).slice(0, -4)}abcd`;
    await gateway.database.rows(`begin; set local session_replication_role = 'replica'; update payments set id = '${before}' where id = '${body.id}'; commit`);
    const inPounds = async (query: string) => (await parsed(query)).payments.filter(({ currency }) => currency === 'GBP').length;
    expect([await inPounds('?hours=1'), await inPounds('?hours=3'), await inPounds('?hours=720')]).toEqual([0, 1, 1]);
  });

  it('shows what other rooms add, under their own names', async () => {
    const sections = gateway.app.get(SummarySections);
    const windows: object[] = [];
    const part = { name: 'tides', read: (window: object) => Promise.resolve((windows.push(window), { high: 2 })) };
    sections.register(part);
    const summary = await read('?hours=2');
    expect(summary.tides).toEqual({ high: 2 });
    expect(windows).toEqual([{ from: new Date(summary.from), to: new Date(summary.to) }]);
    expect(() => sections.register(part)).toThrow('two sections tides');
  });

  it.each(['analyst', 'auditor', 'approver'] as const)('is open to %s', async (role) => {
    expect((await (await staff(gateway, role)).get(PATH)).status).toBe(200);
  });

  it.each(['?hours=0', '?hours=721', '?hours=1.5', '?hours=', '?hours=abc', '?days=1'])('refuses %s by name', async (query) => {
    const refused = await admin.get<{ errors: { field: string }[] }>(PATH + query);
    expectProblem(refused, 422, 'validation_failed');
    expect(refused.body.errors[0].field).toBe(query.slice(1).split('=')[0]);
  });
});
