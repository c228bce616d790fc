import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './support/eventually';
import { assessed } from './support/assessed';
import { runHere } from './support/commands';
import { newFolder, removeFolders } from './support/embedded-folders';
import { Gateway, TEST_SECRETS } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

const PATH = '/v1/admin/risk/rules';
const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

interface Scored extends Record<string, unknown> {
  id: string;
  risk: { score: number; decision: string; reasons: string[] };
}
interface Definition extends Record<string, unknown> {
  name: string;
  version: number;
  body: Record<string, unknown>;
}

describe('risk rules', () => {
  let gateway: Gateway;
  let elsewhere: Gateway;
  let analyst: TestPerson;
  let merchant: Merchant;
  let made = 0;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    elsewhere = await Gateway.start({ database: gateway.database, environment: { RATE_LIMITING_ENABLED: 'false' } });
    analyst = await staff(gateway, 'analyst');
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(async () => {
    await elsewhere.stop();
    await gateway.stop();
    removeFolders();
  });

  const pay = async (at: Merchant, more: object = {}) => (await at.post<Scored>('/v1/payments', { ...order, ...more })).body;
  const payAssessed = async (more: object) => assessed(gateway, await pay(merchant, more));
  /** A rule that fires for one amount, so that tests do not meet each other's. */
  const someRule = (amount: number, more: object = {}) => ({
    subject: 'payment', when: [{ signal: 'amount_units', at_least: amount, at_most: amount }], score: 0.5, reason: 'an amount of {value} units', ...more,
  });
  const create = async (rule: object) => {
    const answer = await analyst.post<Definition>(PATH, { name: `test_rule_${(made += 1)}`, rule, note: 'a test' });
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
    return answer.body;
  };
  const change = (name: string, version: number, body: object) => analyst.call<Definition>('PATCH', `${PATH}/${name}`, { version, body, note: 'tuned' });

  it('decide on every instance from the answer on, and are versioned and audited', async () => {
    const there = merchant.with({ url: elsewhere.url });
    expect((await pay(there, { amount: '111.00' })).risk.decision).toBe('allow');
    const rule = await create(someRule(111));
    for (const at of [there, merchant]) {
      expect((await pay(at, { amount: '111.00' })).risk).toEqual({ score: 0.5, decision: 'review', reasons: ['an amount of 111 units'] });
    }
    const changed = await change(rule.name, 1, someRule(111, { score: undefined, verdict: 'block' }));
    expect([changed.status, changed.body.version]).toEqual([200, 2]);
    for (const at of [there, merchant]) {
      const stopped = await at.post('/v1/payments', { ...order, amount: '111.00' });
      expectProblem(stopped, 403, 'risk_blocked');
      expect(stopped.body).toMatchObject({ detail: 'This payment is stopped: an amount of 111 units. Nothing was created.' });
    }
    const { body: { data: versions } } = await analyst.get<{ data: Definition[] }>(`${PATH}/${rule.name}`);
    expect(versions.map(({ version, body, changed_by: by }) => [version, body.verdict ?? body.score, by])).toEqual([[2, 'block', analyst.id], [1, 0.5, analyst.id]]);
    const audited = await gateway.database.rows("select actor_id, before ->> 'version' as before, after ->> 'version' as after from audit_events where object_id = $1 order by id", [rule.name]);
    expect(audited).toEqual([{ actor_id: analyst.id, before: null, after: '1' }, { actor_id: analyst.id, before: '1', after: '2' }]);
    await expect(gateway.database.rows('update risk_definitions set note = $1', ['rewritten'])).rejects.toThrow('append-only');
  });

  it('that block are never averaged away, nor lifted by an allow list, and leave no payment and a free key', async () => {
    await create(someRule(112, { score: undefined, verdict: 'block' }));
    await create(someRule(112, { score: undefined, verdict: 'allow', reason: 'a friend' }));
    const idempotencyKey = 'stopped-once';
    const stopped = await merchant.post('/v1/payments', { ...order, amount: '112.00' }, { idempotencyKey });
    expectProblem(stopped, 403, 'risk_blocked');
    expect(await gateway.database.value('select count(*)::int from payments where client_id = $1', [merchant.credentials.clientId])).toBe(0);
    const kept = await gateway.database.rows('select decision, score, fired from risk_assessments where client_id = $1', [merchant.credentials.clientId]);
    expect(kept).toEqual([{ decision: 'block', score: '1.00', fired: [expect.any(String), expect.any(String)] }]);
    expect((await merchant.post('/v1/payments', { ...order, amount: '113.00' }, { idempotencyKey })).status).toBe(201);
  });

  it('let what was carried out be answered again, whatever they say now', async () => {
    const idempotencyKey = 'before-the-rule';
    const first = await merchant.post<Scored>('/v1/payments', { ...order, amount: '114.00' }, { idempotencyKey });
    await create(someRule(114, { score: undefined, verdict: 'block' }));
    const again = await merchant.post('/v1/payments', { ...order, amount: '114.00' }, { idempotencyKey });
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
    expectProblem(await merchant.post('/v1/payments', { ...order, amount: '114.00', description: 'other' }, { idempotencyKey }), 422, 'idempotency_mismatch');
  });

  it('in shadow change nothing and are kept beside what was decided', async () => {
    const rule = await create(someRule(115, { mode: 'shadow', score: undefined, verdict: 'block' }));
    const payment = await payAssessed({ amount: '115.00' });
    expect(payment.risk).toEqual({ score: 0, decision: 'allow', reasons: [] });
    const shadow = await gateway.database.value('select shadow from risk_assessments where subject_id = $1', [payment.id]);
    expect(shadow).toEqual({ score: 1, decision: 'block', fired: [rule.name], reasons: ['an amount of 115 units'] });
    expect((await change(rule.name, 1, someRule(115, { mode: 'off' }))).status).toBe(200);
    expect(await gateway.database.value('select shadow from risk_assessments where subject_id = $1', [(await payAssessed({ amount: '115.00' })).id])).toBeNull();
  });

  it('are replayed over the past: counts, amounts, examples, and what is known of them', async () => {
    const from = new Date().toISOString();
    const payments = [];
    for (const amount of ['116.00', '116.00', '9.00']) payments.push(await payAssessed({ amount }));
    await gateway.database.rows(
      "insert into risk_labels (client_id, livemode, subject_id, label, source, labelled_by) values ($1, false, $2, 'fraud', 'staff', 'usr_x'), ($1, false, $3, 'legitimate', 'staff', 'usr_x')",
      [merchant.credentials.clientId, payments[0].id, payments[2].id],
    );
    const body = { from, rules: [{ name: 'tried', rule: someRule(116, { mode: 'shadow' }) }] };
    const { status, body: told } = await analyst.post(`${PATH}/backtest`, body);
    expect([status, told]).toEqual([200, expect.objectContaining({
      assessments: 3, truncated: false, changed: 2, before: { allow: 3, review: 0, block: 0 }, after: { allow: 1, review: 2, block: 0 }, rules: { tried: 2 },
      amounts: [{ subject: 'payment', from: 'allow', to: 'review', currency: 'USD', count: 2, amount: '232.00' }],
      labelled: { frauds: 1, caught_before: 0, caught_after: 1, legitimate: 1, disturbed_before: 0, disturbed_after: 0 },
    })]);
    expect(told.examples).toEqual(expect.arrayContaining([expect.objectContaining({ subject_id: payments[0].id, from: 'allow', to: 'review', score_after: 0.5, reasons_after: ['an amount of 116 units'] })]));
    expect((await analyst.post(`${PATH}/backtest`, { ...body, limit: 2 })).body).toMatchObject({ assessments: 2, truncated: true });
    expect((await pay(merchant, { amount: '116.00' })).risk.decision).toBe('allow');
  });

  it('have thresholds that move at run time', async () => {
    await create(someRule(117, { score: 0.3 }));
    const path = `${PATH}/payment`;
    const { body: { data: [now] } } = await analyst.get<{ data: Definition[] }>(path);
    expect(now).toMatchObject({ kind: 'threshold', body: { review_from: 0.5, block_from: 0.8, soft_limit: 1 } });
    expect((await pay(merchant, { amount: '117.00' })).risk.decision).toBe('allow');
    const moved = await change('payment', now.version, { ...now.body, review_from: 0.3 });
    expect(moved.status).toBe(200);
    try {
      expect((await pay(merchant, { amount: '117.00' })).risk.decision).toBe('review');
      expectProblem(await change('payment', now.version, now.body), 409, 'stale_revision');
    } finally {
      expect((await change('payment', moved.body.version, now.body)).status).toBe(200);
    }
    expectProblem(await change('payment', moved.body.version + 1, { ...now.body, review_from: 0.9 }), 422, 'validation_failed');
  });

  it.each<[string, object, string]>([
    ['an unknown signal', someRule(1, { when: [{ signal: 'moon_phase', at_least: 1 }] }), 'rule.when.0.signal'],
    ['a signal of another subject', someRule(1, { when: [{ signal: 'never_deposited', is: true }] }), 'rule.when.0.signal'],
    ['a counter without a window', someRule(1, { when: [{ signal: 'ip_payments', at_least: 1 }] }), 'rule.when.0.window'],
    ['a flag with a number', someRule(1, { when: [{ signal: 'block_list', at_least: 1 }] }), 'rule.when.0'],
    ['no bound', someRule(1, { when: [{ signal: 'amount_units' }] }), 'rule.when.0'],
    ['both a score and a verdict', someRule(1, { verdict: 'block' }), 'rule.score'],
    ['neither', someRule(1, { score: undefined }), 'rule.score'],
    ['a score of two', someRule(1, { score: 2 }), 'rule.score'],
    ['no conditions', someRule(1, { when: [] }), 'rule.when'],
    ['a reason of two lines', someRule(1, { reason: 'a\nb' }), 'rule.reason'],
    ['a field that is none', someRule(1, { colour: 'red' }), 'rule.colour'],
  ])('with %s are refused, and the field is named', async (_name, rule, field) => {
    const refused = await analyst.post<{ errors: { field: string }[] }>(PATH, { name: 'refused', rule, note: 'a test' });
    expectProblem(refused as never, 422, 'validation_failed');
    expect(refused.body.errors.map((each) => each.field)).toContain(field);
    expect((await analyst.get(`${PATH}/refused`)).status).toBe(404);
  });

  it('are changed by analysts and admins with a fresh second factor, and read by all staff', async () => {
    const rule = await create(someRule(118));
    for (const role of ['approver', 'auditor'] as const) {
      const person = await staff(gateway, role);
      expect([role, (await person.get(`${PATH}?subject=payment`)).status, (await person.get('/v1/admin/risk/signals')).status]).toEqual([role, 200, 200]);
      expect((await person.call('PATCH', `${PATH}/${rule.name}`, { version: 1, body: someRule(118), note: 'no' })).status).toBe(403);
    }
    const stale = await staff(gateway, 'admin', { fresh: false });
    expectProblem(await stale.post(PATH, { name: 'stale', rule: someRule(1), note: 'no' }), 403, 'two_factor_required');
    expectProblem(await analyst.post(PATH, { name: rule.name, rule: someRule(1), note: 'again' }), 409, 'state_conflict');
    expectProblem(await change('never_made', 1, someRule(1)), 404, 'not_found');
    expectProblem(await change(rule.name, 1, someRule(1, { subject: 'withdrawal' })), 422, 'validation_failed');
  });

  it('changed by two at once have one winner, and no instance misses a change', async () => {
    const rule = await create(someRule(119, { score: 0.1 }));
    const answers = await Promise.all(Array.from({ length: 6 }, (_, at) => change(rule.name, 1, someRule(119, { score: (20 + at) / 100 }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    const winner = answers.find(({ status }) => status === 200)!.body.body.score;
    for (const at of [merchant, merchant.with({ url: elsewhere.url })]) expect((await pay(at, { amount: '119.00' })).risk.score).toBe(winner);
  });

  it('are replayed at the command line, which says what it cannot read', async () => {
    for (const amount of ['121.00', '9.00']) await payAssessed({ amount });
    const folder = newFolder();
    const file = join(folder, 'rules.json');
    const settings = { DATABASE_URL: gateway.database.url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, DATA_DIR: folder };
    const backtest = (rules: unknown, ...args: string[]) => {
      writeFileSync(file, JSON.stringify(rules));
      return runHere(settings, ['risk:backtest', '--rules', file, '--limit', '2', ...args]);
    };
    const tried = [{ name: 'tried', rule: someRule(121) }];
    const { code, stdout } = await backtest(tried, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ object: 'backtest', changed: 1, rules: expect.objectContaining({ tried: 1 }) })]);
    expect((await backtest(tried)).stdout).toMatch(/^2 assessments \(there are more\): 1 would be decided otherwise\.\n[^]*\n {2}1 payments from allow to review: 121\.00 USD\n/);
    expect(await backtest([{ name: 'tried', rule: { ...someRule(121), score: 7 } }])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^The rules cannot be used\.\n {2}\S*score /) });
    expect(await runHere(settings, ['risk:backtest', '--rules', join(folder, 'none')])).toMatchObject({ code: 1, stderr: 'The file cannot be read (ENOENT).\n' });
  });

  it('switched off are told everywhere, and score nothing', async () => {
    const off = await Gateway.start({ database: gateway.database, environment: { FRAUD_DETECTION_ENABLED: 'false' } });
    try {
      await create(someRule(120, { score: undefined, verdict: 'block' }));
      const payment = await pay(merchant.with({ url: off.url }), { amount: '120.00' });
      expect(payment.risk).toEqual({ score: 0, decision: 'allow', reasons: ['not scored: fraud detection is switched off'] });
      expect(await gateway.database.value('select count(*)::int from risk_assessments where client_id = $1', [merchant.credentials.clientId])).toBe(0);
      const checks = async (url: string) => ((await (await fetch(`${url}/health/ready`)).json()) as { checks: Record<string, string> }).checks.fraud_detection;
      expect([await checks(off.url), await checks(gateway.url)]).toEqual(['off', 'ok']);
      await eventually(async () => (await gateway.database.value<number>("select count(*)::int from audit_events where kind = 'fraud_detection.off'")) === 1);
    } finally {
      await off.stop();
    }
  });
});
