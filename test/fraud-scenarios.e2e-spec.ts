import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from './support/eventually';
import { destinationOf, fund } from './support/funds';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { countryDatabase } from './support/mmdb';
import { callJson, member, PASSWORD } from './support/people';
import { expectProblem } from './support/problems';
import { deliver, stripeWebhook } from './support/providers';

interface Risk extends Record<string, unknown> {
  score: number;
  decision: string;
  reasons: string[];
}
interface Scored extends Record<string, unknown> {
  id: string;
  status: string;
  exception: string | null;
  risk: Risk;
}

/** What people tell of as fraud, played by wire: what is decided, and why. */
describe('fraud, by wire,', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cpgateway-countries-'));
  let gateway: Gateway;
  let merchant: Merchant;
  let addresses = 0;

  beforeAll(async () => {
    writeFileSync(path.join(folder, 'countries.mmdb'), countryDatabase({ '192.0.2.0/25': 'DE', '192.0.2.128/25': 'FR' }));
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false', GEOIP_DATABASE: path.join(folder, 'countries.mmdb') } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  /** An address that no other test has. */
  const someIp = () => `198.51.100.${(addresses += 1)}`;
  const ask = (payer: { ip?: string; email?: string }, more: object = {}) =>
    merchant.post<Scored>('/v1/payments', { amount: '5.01', currency: 'USD', method: 'simulated', payer, ...more });
  const attempt = (id: string, body: object) => merchant.post<Scored & { detail: string }>(`/v1/test/payments/${id}/pay`, body);
  const failures = async (count: number, payer: { ip?: string }, body: (at: number) => object, more: (at: number) => object = () => ({})) => {
    for (let at = 0; at < count; at += 1) {
      const { body: made } = await ask(payer, more(at));
      expect((await attempt(made.id, { outcome: 'failed', ...body(at) })).body.status).toBe('failed');
    }
  };
  const events = (kind: string) => gateway.database.rows<{ severity: string; action: string; details: Record<string, unknown> }>(
    'select severity, action, details from security_events where kind = $1 and client_id = $2', [kind, merchant.credentials.clientId],
  );
  const assessment = async (id: string) =>
    (await gateway.database.rows<{ decision: string; fired: string[]; signals: Record<string, unknown> }>('select * from risk_assessments where subject_id = $1', [id]))[0];

  it('tells of a customer who pays from another country than the last time', async () => {
    const reasons = async (ip: string) => (await ask({ ip }, { customer: 'traveller' })).body.risk.reasons;
    const change = expect.stringContaining('the last time from');
    expect(await reasons('192.0.2.1')).not.toContainEqual(change);
    expect(await reasons('192.0.2.2')).not.toContainEqual(change);
    // An address of no known country changes nothing.
    expect(await reasons('203.0.113.77')).not.toContainEqual(change);
    expect(await reasons('192.0.2.200')).toContainEqual('from FR, the last time from DE');
    expect(await reasons('192.0.2.201')).not.toContainEqual(change);
  });

  describe('card testing', () => {
    it('is stopped by card and address, for the card that was tried and no other', async () => {
      const payer = { ip: someIp() };
      await failures(3, payer, () => ({ card_fingerprint: 'card-a' }));
      const [fourth, fifth] = [(await ask(payer)).body, (await ask(payer)).body];
      const stopped = await attempt(fourth.id, { card_fingerprint: 'card-a' });
      expectProblem(stopped, 403, 'risk_blocked');
      expect(stopped.body.detail).toMatch(/3 failed payments with this card from this IP in 10 min; stopped until 20/);
      expect((await attempt(fifth.id, { card_fingerprint: 'card-b' })).body.status).toBe('succeeded');
      const [other] = [(await ask({ ip: someIp() })).body];
      expect((await attempt(other.id, { card_fingerprint: 'card-a' })).body.status).toBe('succeeded');
      expect(await events('risk.test_card_testing')).toEqual([expect.objectContaining({
        severity: 'low', action: 'stopped for 60 min', details: expect.objectContaining({ guard: 'card_ip', failures: 3, stopped: `a card from ${payer.ip}` }),
      })]);
    });

    it('is stopped by customer, wherever the customer comes from', async () => {
      await failures(5, {}, (at) => ({ card_fingerprint: `card-${at}` }), () => ({ customer: 'tester' }));
      const stopped = await ask({ ip: someIp() }, { customer: 'tester' });
      expectProblem(stopped, 403, 'risk_blocked');
      expect(stopped.body).toMatchObject({ detail: expect.stringMatching(/^This payment is stopped: 5 failed payments of this customer in 10 min; stopped until /) });
      expect(await gateway.database.value("select count(*)::int from payments where client_id = $1 and customer = 'tester'", [merchant.credentials.clientId])).toBe(5);
      expect((await ask({ ip: someIp() }, { customer: 'somebody' })).status).toBe(201);
      await gateway.database.rows("update risk_guard_blocks set blocked_until = now() where client_id = $1", [merchant.credentials.clientId]);
      expect((await ask({ ip: someIp() }, { customer: 'tester' })).status).toBe(201);
    });

    it('is stopped by address alone, with another card and customer each time, also when many fail at once', async () => {
      const payer = { ip: someIp() };
      const made = await Promise.all(Array.from({ length: 10 }, (_, at) => ask(payer, { customer: `c${at}` })));
      await Promise.all(made.slice(1).map(({ body }, at) => attempt(body.id, { outcome: 'failed', card_fingerprint: `many-${at}` })));
      expect((await ask(payer, { customer: 'c11' })).status).toBe(201);
      await attempt(made[0].body.id, { outcome: 'failed', card_fingerprint: 'many-10' });
      expectProblem(await ask(payer, { customer: 'c12' }), 403, 'risk_blocked');
      expect(await gateway.database.rows('select guard, entity, failures from risk_guard_blocks where client_id = $1', [merchant.credentials.clientId]))
        .toEqual([{ guard: 'ip', entity: payer.ip, failures: 10 }]);
    });

    it('counts every attempt that Stripe tells of, also when the payment has failed before', async () => {
      const ip = someIp();
      const { body } = await ask({ ip }, { method: 'card' });
      for (const attempts of [1, 2, 3]) {
        await deliver(gateway.url, stripeWebhook({ type: 'payment_failed', intent: `pi_${body.id}`, paymentId: body.id, amount: 501, fingerprint: 'fp_1' }));
        await eventually(async () =>
          (await gateway.database.value<number>("select count(*)::int from risk_sightings where kind = 'failed.card_ip' and entity = $1", [`fp_1 ${ip}`])) === attempts);
      }
      expect(await gateway.database.rows('select guard, failures from risk_guard_blocks where client_id = $1', [merchant.credentials.clientId]))
        .toEqual([{ guard: 'card_ip', failures: 3 }]);
      await eventually(async () => (await events('risk.test_card_testing')).length === 1);
    });
  });

  it('honest customers behind one address are let through', async () => {
    const ip = someIp();
    for (let at = 0; at < 14; at += 1) {
      const { status, body } = await ask({ ip, email: `customer${at}@example.com` }, { customer: `honest-${at}` });
      expect([at, status, body.risk.decision, body.exception]).toEqual([at, 201, 'allow', null]);
      // One in seven mistypes, and pays with the next try.
      if (at % 7 === 6) await attempt(body.id, { outcome: 'failed', card_fingerprint: `honest-${at}` });
      expect((await attempt(body.id, { card_fingerprint: `honest-${at}` })).body.status).toBe('succeeded');
    }
    const { body: last } = await ask({ ip }, { customer: 'honest-15' });
    expect(last.risk).toEqual({ score: 0.05, decision: 'allow', reasons: ['15 payments of 14 customers from this IP in 10 min'] });
  });

  it('many payments of one customer from one address are held, with the figures', async () => {
    const payer = { ip: someIp() };
    let last!: Scored;
    for (let at = 0; at < 6; at += 1) last = (await ask(payer, { customer: 'hasty' })).body;
    expect(last).toMatchObject({
      status: 'pending', exception: 'under_review',
      risk: { score: 0.55, decision: 'review', reasons: ['6 payments from this IP in 10 min, usual 0', '6 payments of this customer in 10 min, usual 0'] },
    });
    expect((await assessment(last.id)).fired).toEqual(['payment_ip_velocity', 'payment_customer_velocity']);
    expect(await events('risk.test_review')).toEqual([expect.objectContaining({ severity: 'low', details: expect.objectContaining({ subject_id: last.id, score: 0.55 }) })]);
    const { body: anomalies } = await merchant.get<{ data: { kind: string; severity: string }[] }>('/v1/anomalies');
    expect(anomalies.data).toEqual([expect.objectContaining({ kind: 'risk.payment', severity: 'medium' })]);
  });

  const withdraw = async (amount: string, currency: string, destination: string) =>
    (await merchant.post<Scored>('/v1/withdrawals', { amount, currency, destination })).body;

  it('a withdrawal long after the last deposit is held', async () => {
    await fund(gateway, merchant, 50_000_000n, 'USDT');
    await gateway.database.rows("update ledger_entries set created_at = created_at - interval '8 days' where client_id = $1", [merchant.credentials.clientId]);
    const asked = await withdraw('20', 'USDT', await destinationOf(gateway, merchant));
    expect(asked).toMatchObject({
      status: 'pending_review', approvals_required: 2,
      risk: { score: 0.55, decision: 'review', reasons: ['no deposit in the last 7 days', expect.stringMatching(/^destination is \d seconds? old$/), 'first withdrawal'] },
    });
  });

  it('a burst of small payments and then a large withdrawal is held', async () => {
    for (let at = 0; at < 12; at += 1) {
      const { body } = await ask({}, { amount: '1.00' });
      await attempt(body.id, {});
    }
    const iban = { type: 'bank_account', iban: 'DE89370400440532013000', holder: 'Quick Shop' };
    const asked = await withdraw('12.00', 'USD', await destinationOf(gateway, merchant, iban));
    expect(asked.risk).toMatchObject({ decision: 'review', score: 0.6 });
    expect(asked.risk.reasons).toContain('12 small payments in the last hour, then 12 times their usual amount withdrawn');
  });

  it('a destination that was saved after a new password is held, and an older one is not', async () => {
    await fund(gateway, merchant, 100_000_000n, 'USDT');
    const before = await destinationOf(gateway, merchant, { type: 'tron_address', address: 'TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL' });
    const owner = await member(gateway, merchant, 'owner', { twoFactor: true });
    const changed = await owner.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: 'other-owls-read-5-maps', code: await owner.code() });
    expect([changed.status, changed.text]).toEqual([200, expect.any(String)]);
    const after = await destinationOf(gateway, merchant);
    expect((await withdraw('1', 'USDT', before)).risk).toMatchObject({ decision: 'allow' });
    const asked = await withdraw('1', 'USDT', after);
    expect(asked.risk.decision).toBe('review');
    expect(asked.risk.reasons).toContainEqual(expect.stringMatching(/^to a destination that was saved after a password change of \d seconds? ago$/));
  });

  it('a login from a listed address is told what a wrong password is told, and counted', async () => {
    const owner = await member(gateway, merchant, 'owner');
    const login = () => callJson(`${gateway.url}/v1/auth/login`, 'POST', { email: owner.email, password: PASSWORD });
    expect((await login()).status).toBe(200);
    await gateway.database.rows(
      `insert into risk_list_entries (id, list, kind, value, source, reason) values ('rle_${'1'.repeat(32)}', 'block', 'ip', '127.0.0.0/8', 'staff', 'a botnet')`,
    );
    try {
      const stopped = await login();
      const wrong = await callJson(`${gateway.url}/v1/auth/login`, 'POST', { email: owner.email, password: 'not-this-one-at-all' });
      expect([stopped.status, stopped.body.detail]).toEqual([401, wrong.body.detail]);
    } finally {
      await gateway.database.rows('delete from risk_list_entries');
    }
    const logins = await gateway.database.rows("select decision, reasons from risk_assessments where subject = 'login' order by created_at");
    expect(logins).toEqual([
      { decision: 'allow', reasons: [] }, { decision: 'block', reasons: ['the IP 127.0.0.0/8 is on the block list: a botnet'] },
    ]);
    // Both count as wrong ones, so that nobody can tell them apart.
    expect(await gateway.database.value("select count(*)::int from risk_sightings where kind = 'login_failed.ip'")).toBe(2);
  });
});
