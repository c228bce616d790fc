import { randomUUID } from 'node:crypto';
import { ExpirePayments } from '../src/payments/expire-payments';
import { runInContext } from '../src/platform/http/request-context';
import { newId } from '../src/platform/identifiers';
import { eventually } from './support/eventually';
import { checkLedger, SOME_ADDRESS } from './support/funds';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { deliver, eventIdOf, type GenericEvent, genericWebhook, type SignedWebhook, stripeWebhook } from './support/providers';
import { signer } from './support/signing';

interface Deposit {
  id: string; status: string; payment: string | null; revision: number; amount: string; reason: string; booked: boolean;
}

describe('unmatched deposits', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let admin: TestPerson;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    admin = await staff(gateway, 'admin');
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterEach(async () => expect(await checkLedger(gateway)).toMatchObject({ ok: true }));
  afterAll(() => gateway.stop());

  const newPayment = async (amount = '10.00', more: object = {}) =>
    (await merchant.post<{ id: string }>('/v1/payments', { amount, currency: 'USD', method: 'simulated', ...more })).body.id;
  const paymentOf = async (id: string) => (await merchant.get(`/v1/payments/${id}`)).body;
  const rules = (paymentRules: object) => gateway.database.rows(
    'update clients set test_settings = $2, revision = revision + 1 where id = $1', [merchant.credentials.clientId, { payment_rules: paymentRules }],
  );
  const expire = async (id: string) => {
    await gateway.database.rows("update payments set expires_at = now() - interval '1 second' where id = $1", [id]);
    await runInContext({ requestId: 'req_expire', startedAt: 0 }, () => gateway.app.get(ExpirePayments).sweep());
    await eventually(async () => (await paymentOf(id)).status === 'expired');
  };
  const settled = async (webhook: SignedWebhook) => {
    await deliver(gateway.url, webhook);
    return eventually(() => gateway.database.value<string>(
      "select outcome from inbox_events where event_id = $1 and status in ('applied', 'ignored', 'quarantined')", [eventIdOf(webhook)]));
  };
  const told = (paymentId: string, event: Partial<GenericEvent> = {}) => genericWebhook({ paymentId, amount: '10.00', reference: `ref_${randomUUID()}`, ...event });
  const get = async (id: string) => (await admin.get<Deposit>(`/v1/admin/unmatched-deposits/${id}`)).body;
  const named = async (reference: string) => get(await gateway.database.value<string>('select id from unmatched_deposits where reference = $1', [reference]));
  const keptFor = async (payment: string) => get(await gateway.database.value<string>('select id from unmatched_deposits where payment_id = $1', [payment]));
  const assign = (id: string, payment: string, more: object = {}) =>
    admin.post(`/v1/admin/unmatched-deposits/${id}/assign`, { payment, reason: 'the payer has written', ...more });
  const refund = (id: string, more: object = {}) => admin.post(`/v1/admin/unmatched-deposits/${id}/refund`, { reason: 'nobody knows it', ...more });
  const eventsOf = async (id: string) =>
    (await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by created_at, id', [id])).map(({ type }) => type);
  /** Balances of this test's book on their normal side, in minor units; accounts at zero left out. */
  const balances = async () => Object.fromEntries((await gateway.database.rows<{ kind: string; balance: string }>(
    `select currency || ' ' || kind as kind, abs(debits_posted - credits_posted)::text as balance from ledger_accounts
      where client_id = $1 and debits_posted <> credits_posted`, [merchant.credentials.clientId],
  )).map(({ kind, balance }) => [kind, balance]));

  /** Money that came when its payment had expired; booked in the merchant's book. */
  const late = async (amount = '10.00') => {
    const payment = await newPayment();
    await expire(payment);
    const webhook = told(payment, { amount, createdAt: new Date() });
    await settled(webhook);
    const { reference } = (JSON.parse(webhook.body) as { data: { reference: string } }).data;
    return { payment, webhook, reference, deposit: await named(reference) };
  };
  /** Money for a payment that never was; in nobody's book. */
  const unknown = async (amount = '10.00') => {
    const reference = `lost_${randomUUID()}`;
    await settled(told(newId('pay'), { amount, reference }));
    return named(reference);
  };

  it('are listed newest first, by status, provider, client and reason, and shown whole', async () => {
    const { payment, deposit, reference } = await late();
    const lost = await unknown('7.00');
    const { clientId } = merchant.credentials;
    const list = async (query: string) =>
      (await admin.get<{ data: Deposit[] }>(`/v1/admin/unmatched-deposits?${query}`)).body.data.map(({ id }) => id);
    expect(await list('limit=2')).toEqual([lost.id, deposit.id]);
    expect(await list(`client=${clientId}`)).toEqual([deposit.id]);
    expect(await list(`client=${clientId}&status=assigned`)).toEqual([]);
    expect(await list('status=open&reason=no_payment&provider=generic&limit=1')).toEqual([lost.id]);
    expect(await list(`provider=stripe&client=${clientId}`)).toEqual([]);
    expect(deposit).toEqual({
      id: expect.stringMatching(/^dep_[0-9a-f]{32}$/), object: 'unmatched_deposit', status: 'open', provider: 'generic', reference, client: clientId,
      livemode: false, payment, amount: '10.00', currency: 'USD', reason: 'late', wish: 'review', booked: true, details: {},
      received_at: expect.any(String), resolved_by: null, resolved_at: null, resolution: null, revision: 1,
    });
    expect(lost).toMatchObject({ client: null, livemode: null, amount: '7.00', reason: 'no_payment', booked: false });
    expectProblem(await admin.get(`/v1/admin/unmatched-deposits/${newId('dep')}`), 404, 'not_found');
    expectProblem(await admin.get('/v1/admin/unmatched-deposits?status=lost'), 422, 'validation_failed');
  });

  describe('that are assigned', () => {
    it('are credited to their payment however late, once, and known when they are told again', async () => {
      const { payment, deposit, reference, webhook } = await late();
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD unmatched': '1000' });
      const { status, body } = await assign(deposit.id, payment, { revision: 1 });
      expect([status, body]).toEqual([200, expect.objectContaining({
        status: 'assigned', payment, resolved_by: admin.id, resolved_at: expect.any(String), resolution: 'the payer has written', revision: 2,
      })]);
      expect(await paymentOf(payment)).toMatchObject({ status: 'succeeded', exception: 'paid_late', amount_received: '10.00', fee: '0.25', provider_reference: reference });
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD available': '975', 'USD fees': '25' });
      expect(await eventsOf(payment)).toEqual(['payment.created', 'payment.expired', 'payment.exception', 'payment.succeeded']);
      const audited = await gateway.database.rows(
        "select actor_id, before ->> 'status' as before, after ->> 'status' as after from audit_events where object_id = $1", [deposit.id],
      );
      expect(audited).toEqual([{ actor_id: admin.id, before: 'open', after: 'assigned' }]);
      expectProblem(await assign(deposit.id, payment), 409, 'state_conflict');
      expectProblem(await refund(deposit.id), 409, 'state_conflict');
      const { data } = JSON.parse(webhook.body) as { data: { reference: string } };
      expect(await settled(told(payment, data))).toMatch(/credited/);
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD available': '975', 'USD fees': '25' });
    });

    it('come from the provider when nobody has booked them, and lead to their payment from then on', async () => {
      const [payment, deposit] = [await newPayment(), await unknown()];
      expect((await assign(deposit.id, payment)).body).toMatchObject({ status: 'assigned', payment, client: merchant.credentials.clientId, livemode: false });
      expect(await paymentOf(payment)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.00' });
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD available': '975', 'USD fees': '25' });
    });

    it('wait for the rest where the merchant waits and time is left', async () => {
      const [payment, part] = [await newPayment(), await unknown('4.00')];
      await assign(part.id, payment);
      expect(await paymentOf(payment)).toMatchObject({ status: 'pending', exception: 'underpaid', amount_received: '4.00' });
      expect(await balances()).toEqual({ 'USD provider': '400', 'USD pending': '400' });
      await assign((await unknown('6.00')).id, payment);
      expect(await paymentOf(payment)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.00', fee: '0.25' });
    });

    it('are credited with less than was asked for only where the merchant takes that, also to a card payment', async () => {
      const payment = await newPayment('10.00', { method: 'card' });
      await settled(stripeWebhook({ intent: `pi_${payment}`, paymentId: payment, amount: 900 }));
      const deposit = await keptFor(payment);
      expect(deposit).toMatchObject({ reason: 'wrong_amount', amount: '9.00' });
      await rules({ underpaid: 'refund' });
      expectProblem(await assign(deposit.id, payment), 409, 'state_conflict');
      expect(await paymentOf(payment)).toMatchObject({ status: 'pending', amount_received: '0.00' });
      await rules({ underpaid: 'credit' });
      await assign(deposit.id, payment);
      expect(await paymentOf(payment)).toMatchObject({ status: 'succeeded', exception: 'underpaid', amount_received: '9.00' });
    });

    it.each(['its own', 'another'] as const)('as the rest of an overpayment go to %s payment, without counting it twice', async (which) => {
      await rules({ overpaid: 'refund' });
      const payment = await newPayment();
      const over = told(payment, { amount: '15.00' });
      await settled(over);
      const rest = await keptFor(payment);
      expect(rest).toMatchObject({ amount: '5.00', reason: 'overpaid' });
      const target = which === 'its own' ? payment : await newPayment('5.00');
      expect((await assign(rest.id, target)).status).toBe(200);
      expect(await paymentOf(target)).toMatchObject({ status: 'succeeded', amount_received: which === 'its own' ? '15.00' : '5.00' });
      expect(await balances()).toMatchObject({ 'USD provider': '1500' });
      expect(await balances()).not.toHaveProperty('USD unmatched');
      const { data } = JSON.parse(over.body) as { data: { reference: string; amount: string } };
      expect(await settled(told(payment, data))).toMatch(/credited/);
      expect(await balances()).toMatchObject({ 'USD provider': '1500' });
    });

    it('as the part of an expired payment go back to it, or to another, and nothing else completes it', async () => {
      const [own, other, late2] = [await newPayment(), await newPayment(), await unknown('6.00')];
      for (const payment of [own, other]) await settled(told(payment, { amount: '4.00' }));
      await Promise.all([expire(own), expire(other)]);
      expectProblem(await assign(late2.id, own), 409, 'state_conflict');
      expectProblem(await assign((await keptFor(own)).id, own), 409, 'state_conflict');
      await rules({ underpaid: 'credit' });
      expect((await assign((await keptFor(own)).id, own)).status).toBe(200);
      expect(await paymentOf(own)).toMatchObject({ status: 'succeeded', exception: 'underpaid', amount_received: '4.00', fee: '0.10' });
      const target = await newPayment('4.00');
      expect((await assign((await keptFor(other)).id, target)).status).toBe(200);
      expect(await paymentOf(target)).toMatchObject({ status: 'succeeded', amount_received: '4.00' });
      expect(await paymentOf(other)).toMatchObject({ status: 'expired' });
      expect(await balances()).toEqual({ 'USD provider': '800', 'USD available': '780', 'USD fees': '20' });
    });

    it('are refused where they cannot belong', async () => {
      const { deposit, payment } = await late();
      const stranger = await gateway.merchant();
      const theirs = (await stranger.post<{ id: string }>('/v1/payments', { amount: '10.00', currency: 'USD', method: 'simulated' })).body.id;
      const [euros, canceled] = [await newPayment('10.00', { currency: 'EUR' }), await newPayment()];
      await merchant.post(`/v1/payments/${canceled}/cancel`);
      const before = await balances();
      for (const target of [theirs, euros, canceled]) expectProblem(await assign(deposit.id, target), 409, 'state_conflict');
      expectProblem(await assign(deposit.id, newId('pay')), 404, 'not_found');
      expectProblem(await assign(newId('dep'), payment), 404, 'not_found');
      expectProblem(await assign(deposit.id, payment, { revision: 2 }), 409, 'stale_revision');
      expectProblem(await admin.post(`/v1/admin/unmatched-deposits/${deposit.id}/assign`, { payment }), 422, 'validation_failed');
      expect(await get(deposit.id)).toEqual(deposit);
      expect(await balances()).toEqual(before);
      expect(await paymentOf(payment)).toMatchObject({ status: 'expired', amount_received: '0.00' });
    });

    it('stay in their mode, booked or not', async () => {
      const live = await gateway.merchant({ live: true });
      const payment = (await live.post<{ id: string }>('/v1/payments', { amount: '10.00', currency: 'USD', method: 'card' })).body.id;
      const intent = `pi_${randomUUID()}`;
      await settled(stripeWebhook({ intent, amount: 1000, livemode: false }));
      const deposit = await named(intent);
      expect(deposit).toMatchObject({ booked: false, livemode: false });
      expectProblem(await assign(deposit.id, payment), 409, 'state_conflict');
      expect(await get(deposit.id)).toMatchObject({ status: 'open', revision: 1 });
    });
  });

  describe('that are given back', () => {
    const refundOf = async (deposit: string) => {
      const [row] = await gateway.database.rows<{ id: string; revision: string; amount_minor: string; status: string; destination: string }>(
        'select id, revision, amount_minor, status, destination from refunds where deposit_id = $1 order by id desc limit 1', [deposit],
      );
      return row!;
    };
    const decide = async (deposit: string, decision: 'approve' | 'reject') => {
      const { id, revision, destination } = await refundOf(deposit);
      const shown = { id, revision: Number(revision), amount: '10.00', currency: 'USD', destination };
      return (await signer(gateway)).decide(`/v1/admin/refunds/${id}/${decision}`, decision, shown);
    };

    it('are held, approved by somebody else and paid', async () => {
      const { deposit } = await late();
      const asker = await signer(gateway, 'admin');
      const asked = await asker.person.post<Deposit>(`/v1/admin/unmatched-deposits/${deposit.id}/refund`, { reason: 'paid by mistake', revision: 1 });
      expect([asked.status, asked.body]).toEqual([200, expect.objectContaining({ status: 'refunding', resolved_by: asker.person.id, resolved_at: null, revision: 2 })]);
      const { id, revision } = await refundOf(deposit.id);
      const shown = { id, revision: Number(revision), amount: '10.00', currency: 'USD', destination: '' };
      expectProblem(await asker.decide(`/v1/admin/refunds/${id}/approve`, 'approve', shown), 403, 'self_approval');
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD unmatched': '1000' });
      expect((await decide(deposit.id, 'approve')).status).toBe(200);
      await eventually(async () => (await get(deposit.id)).status === 'refunded');
      expect(await get(deposit.id)).toMatchObject({ resolved_at: expect.any(String), resolution: 'paid by mistake' });
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD payout': '1000' });
      expect(await refundOf(deposit.id)).toMatchObject({ status: 'succeeded' });
    });

    it('are open again when that is rejected, and can be assigned then', async () => {
      const { deposit, payment } = await late();
      expect((await refund(deposit.id)).body.status).toBe('refunding');
      expectProblem(await assign(deposit.id, payment), 409, 'state_conflict');
      expectProblem(await refund(deposit.id), 409, 'state_conflict');
      expect((await decide(deposit.id, 'reject')).status).toBe(200);
      expect(await get(deposit.id)).toMatchObject({ status: 'open', resolved_by: null, resolution: null });
      expect((await assign(deposit.id, payment)).status).toBe(200);
      expect(await balances()).toEqual({ 'USD provider': '1000', 'USD available': '975', 'USD fees': '25' });
    });

    it('take evidence instead when they are in nobody\'s book', async () => {
      const deposit = await unknown();
      expectProblem(await refund(deposit.id), 422, 'validation_failed');
      expectProblem(await refund(deposit.id, { evidence: 'x', destination: SOME_ADDRESS }), 422, 'validation_failed');
      const { body } = await refund(deposit.id, { evidence: 'bank statement of 3 May' });
      expect(body).toMatchObject({ status: 'refunded', details: { evidence: 'bank statement of 3 May' }, resolved_by: admin.id, resolution: 'nobody knows it' });
      expectProblem(await assign(deposit.id, await newPayment()), 409, 'state_conflict');
      const booked = await late();
      expectProblem(await refund(booked.deposit.id, { evidence: 'x' }), 422, 'validation_failed');
      expectProblem(await refund(booked.deposit.id, { destination: SOME_ADDRESS }), 422, 'validation_failed');
      expect(await get(booked.deposit.id)).toEqual(booked.deposit);
    });
  });

  it('have one outcome when several decide at once', async () => {
    const deposits = await Promise.all(Array.from({ length: 8 }, async () => ({ ...(await late()), other: await newPayment() })));
    await Promise.all(deposits.map(async ({ deposit, payment, other, webhook }) => {
      const { data } = JSON.parse(webhook.body) as { data: { reference: string } };
      const [retold, ...answers] = await Promise.all([
        deliver(gateway.url, told(payment, data)), assign(deposit.id, payment), assign(deposit.id, other), refund(deposit.id), assign(deposit.id, payment),
      ]);
      expect(retold.status).toBe(200);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
      const { status, revision } = await get(deposit.id);
      const paid = await Promise.all([payment, other].map(async (id) => (await paymentOf(id)).amount_received));
      expect([revision, paid.filter((amount) => amount === '10.00').length]).toEqual([2, status === 'assigned' ? 1 : 0]);
    }));
    await eventually(async () => (await gateway.database.value<number>("select count(*)::int from inbox_events where status in ('received', 'failed')")) === 0);
    expect(await balances()).toMatchObject({ 'USD provider': '8000' });
  });

  it('are compared with the ledger', async () => {
    const { deposit, payment } = await late();
    await gateway.database.rows("update unmatched_deposits set status = 'refunded' where id = $1", [deposit.id]);
    expect((await checkLedger(gateway)).fault).toMatchObject({ where: expect.stringMatching(/unmatched, balance$/), expected: '0', found: '1000' });
    await gateway.database.rows("update unmatched_deposits set status = 'open' where id = $1", [deposit.id]);
    await assign(deposit.id, payment);
    await gateway.database.rows('update unmatched_deposits set amount_minor = 999 where id = $1', [deposit.id]);
    expect((await checkLedger(gateway)).fault).toMatchObject({ where: expect.stringContaining(deposit.id), expected: '999', found: '1000' });
    await gateway.database.rows('update unmatched_deposits set amount_minor = 1000 where id = $1', [deposit.id]);
  });
});
