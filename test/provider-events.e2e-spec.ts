import { randomUUID } from 'node:crypto';
import { runInContext } from '../src/platform/http/request-context';
import { newId } from '../src/platform/identifiers';
import { ProviderEvents } from '../src/platform/providers/provider-event';
import { type ReplayCommand, ReplayInbox } from '../src/webhooks/inbound/replay-inbox';
import { genericSource } from '../src/webhooks/inbound/sources/generic';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { deliver, eventIdOf, genericWebhook, type GenericEvent, type SignedWebhook, type StripeIntentEvent, stripeWebhook } from './support/providers';

const MINUTE_MS = 60_000;

describe('applying provider events', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  // A merchant for each test: its book then holds this test's money and nothing else.
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterAll(() => gateway.stop());

  const newPayment = async (method: 'card' | 'simulated' = 'simulated', amount = '10.00'): Promise<string> =>
    (await merchant.post<{ id: string }>('/v1/payments', { amount, currency: 'USD', method })).body.id;
  const paymentOf = async (id: string) => (await merchant.get(`/v1/payments/${id}`)).body;
  const inboxOf = async (webhook: SignedWebhook) => (await gateway.database.rows<{ status: string; outcome: string; attempts: number; last_error: string }>(
    'select status, outcome, attempts, last_error from inbox_events where source = $1 and event_id = $2', [webhook.source, eventIdOf(webhook)],
  ))[0];
  const rules = (paymentRules: object) => gateway.database.rows(
    'update clients set test_settings = $2, revision = revision + 1 where id = $1', [merchant.credentials.clientId, { payment_rules: paymentRules }],
  );
  const unmatched = (reference: string) => gateway.database.rows(
    'select client_id, livemode, payment_id, amount_minor, currency, reason, wish, status from unmatched_deposits where reference = $1', [reference],
  );
  /** Balances of this test's book on their normal side, in minor units; accounts at zero left out. */
  const balances = async () => Object.fromEntries((await gateway.database.rows<{ kind: string; balance: string }>(
    `select currency || ' ' || kind as kind, abs(debits_posted - credits_posted)::text as balance from ledger_accounts
      where client_id = $1 and debits_posted <> credits_posted order by 1`, [merchant.credentials.clientId],
  )).map(({ kind, balance }) => [kind, balance]));
  const alerts = (webhook: SignedWebhook) => gateway.database.value<number>(
    `select count(*)::int from security_events where kind = 'deposit.unmatched' and severity = 'high' and source = $1`,
    [`${webhook.source}:${eventIdOf(webhook)}`],
  );

  /** Sends a delivery and waits until its event is settled; answers how. */
  async function settled(webhook: SignedWebhook): Promise<{ status: string; outcome: string }> {
    expect(await deliver(gateway.url, webhook)).toMatchObject({ status: 200, body: { received: true } });
    return eventually(async () => {
      const { status, outcome } = (await inboxOf(webhook))!;
      return ['applied', 'ignored', 'quarantined'].includes(status) && { status, outcome };
    });
  }
  const byStripe = (paymentId: string, event: Partial<StripeIntentEvent> = {}) =>
    stripeWebhook({ intent: `pi_${paymentId}`, paymentId, amount: 1000, ...event });
  const generic = (paymentId: string, event: Partial<GenericEvent> = {}) =>
    genericWebhook({ paymentId, amount: '10.00', reference: `ref_${randomUUID()}`, ...event });
  async function expiredAt(id: string, at: Date): Promise<void> {
    await gateway.database.rows('update payments set expires_at = $2 where id = $1', [id, at]);
    await eventually(async () => (await paymentOf(id)).status === 'expired');
  }

  it('knows the same money under a new event id', async () => {
    const id = await newPayment('card');
    expect(await settled(byStripe(id))).toMatchObject({ status: 'applied' });
    const before = await paymentOf(id);
    expect(await settled(byStripe(id))).toMatchObject({ status: 'ignored' });
    expect(await settled(stripeWebhook({ intent: `pi_${id}`, amount: 1000 }))).toMatchObject({ status: 'ignored' });
    expect(await paymentOf(id)).toEqual(before);
    expect(await balances()).toEqual({ 'USD available': '975', 'USD fees': '25', 'USD provider': '1000' });
  });

  it('alerts when one provider reference is claimed for two payments, and credits the first only', async () => {
    const [first, second] = [await newPayment('card'), await newPayment('card')];
    expect(await settled(byStripe(first))).toMatchObject({ status: 'applied' });
    const claim = byStripe(second, { intent: `pi_${first}` });
    expect(await settled(claim)).toMatchObject({ status: 'quarantined', outcome: expect.stringContaining(first) });
    await eventually(async () => (await alerts(claim)) === 1);
    expect(await paymentOf(second)).toMatchObject({ status: 'pending', amount_received: '0.00' });
    expect(await balances()).toEqual({ 'USD available': '975', 'USD fees': '25', 'USD provider': '1000' });
  });

  it('never credits and keeps the same money, when a wrong id and its correction come together', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => newPayment()));
    await Promise.all(ids.flatMap((id) => [id, newId('pay')].map((named) => settled(generic(named, { reference: `both-${id}` })))));
    for (const id of ids) {
      const credited = (await paymentOf(id)).amount_received === '10.00' ? 1 : 0;
      expect([id, credited + (await unmatched(`both-${id}`)).length]).toEqual([id, 1]);
    }
  });

  it('settles an event once, also when a second process applies it at the same time', async () => {
    const webhook = generic(await newPayment(), { type: 'processing' });
    await settled(webhook);
    const before = await inboxOf(webhook);
    // What the second process does that had read the event before it was settled.
    const again = await runInContext({ requestId: 'req_second', actor: { type: 'provider', id: 'generic' }, startedAt: 0 }, () =>
      gateway.app.get(ProviderEvents, { strict: false }).apply(genericSource('generic').parse(Buffer.from(webhook.body))));
    expect(again).toEqual({ status: 'ignored', outcome: 'settled by another instance' });
    expect(await inboxOf(webhook)).toEqual(before);
  });

  it.each([
    ['processing', 'payment_failed', 'succeeded'], ['processing', 'succeeded', 'payment_failed'],
    ['payment_failed', 'processing', 'succeeded'], ['payment_failed', 'succeeded', 'processing'],
    ['succeeded', 'processing', 'payment_failed'], ['succeeded', 'payment_failed', 'processing'],
  ] as const)('ends the same after %s, %s, %s', async (...types) => {
    const id = await newPayment('card');
    for (const type of types) await settled(byStripe(id, { type }));
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.00', fee: '0.25' });
    expect(await balances()).toEqual({ 'USD available': '975', 'USD fees': '25', 'USD provider': '1000' });
  });

  it.each([
    ['processing', 'failed', 'part'], ['part', 'processing', 'failed'], ['failed', 'part', 'processing'],
  ] as const)('waits for the rest after %s, %s, %s', async (...types) => {
    const id = await newPayment();
    for (const type of types) await settled(type === 'part' ? generic(id, { amount: '4.00' }) : generic(id, { type }));
    expect(await paymentOf(id)).toMatchObject({ status: 'pending', exception: 'underpaid', amount_received: '4.00' });
    const told = await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by id', [id]);
    expect(told.map(({ type }) => type)).not.toContain('payment.pending');
    expect(await settled(generic(id, { amount: '6.00' }))).toMatchObject({ status: 'applied' });
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', exception: null });
    expect(await balances()).toEqual({ 'USD available': '975', 'USD fees': '25', 'USD provider': '1000' });
  });

  it('ends the same when the events come at once', async () => {
    const id = await newPayment('card');
    const types = ['processing', 'payment_failed', 'succeeded'] as const;
    await Promise.all(types.map((type) => settled(byStripe(id, { type }))));
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', exception: null, fee: '0.25' });
  });

  it.each([
    ['another amount', { amount: 999 }, 'wrong_amount', 'USD', '999'],
    ['less than was asked', { amountReceived: 1 }, 'wrong_amount', 'USD', '1'],
    ['another currency', { currency: 'eur' }, 'wrong_currency', 'EUR', '1000'],
  ])('puts aside a card payment of %s, booked and with an alert', async (_what, change, reason, currency, amount) => {
    const id = await newPayment('card');
    const webhook = byStripe(id, change);
    expect(await settled(webhook)).toEqual({ status: 'quarantined', outcome: `kept as an unmatched deposit: ${reason}` });
    expect(await paymentOf(id)).toMatchObject({ status: 'pending', amount_received: '0.00' });
    expect(await unmatched(`pi_${id}`)).toEqual([{
      client_id: merchant.credentials.clientId, livemode: false, payment_id: id, amount_minor: amount, currency, reason, wish: 'review', status: 'open',
    }]);
    expect(await balances()).toEqual({ [`${currency} provider`]: amount, [`${currency} unmatched`]: amount });
    await eventually(async () => (await alerts(webhook)) === 1);
  });

  it('puts aside an event of the other mode, without booking it', async () => {
    const id = await newPayment('card');
    const webhook = byStripe(id, { livemode: true });
    expect(await settled(webhook)).toMatchObject({ status: 'quarantined' });
    expect(await paymentOf(id)).toMatchObject({ status: 'pending' });
    expect(await unmatched(`pi_${id}`)).toMatchObject([{ livemode: true, payment_id: id, reason: 'wrong_mode' }]);
    expect(await balances()).toEqual({});
    await eventually(async () => (await alerts(webhook)) === 1);
  });

  it('does not let Stripe settle what is not a card', async () => {
    const id = await newPayment('simulated');
    expect(await settled(byStripe(id))).toMatchObject({ status: 'quarantined' });
    expect(await unmatched(`pi_${id}`)).toMatchObject([{ reason: 'wrong_method', payment_id: id }]);
    expect(await balances()).toEqual({});
  });

  it('keeps money for no payment of ours', async () => {
    const webhook = stripeWebhook({ intent: 'pi_nobody', amount: 700 });
    expect(await settled(webhook)).toMatchObject({ status: 'quarantined' });
    expect(await unmatched('pi_nobody')).toMatchObject([{ client_id: null, payment_id: null, amount_minor: '700', reason: 'no_payment' }]);
    expect(await settled(stripeWebhook({ intent: 'pi_nothing', amount: 700, type: 'processing' }))).toMatchObject({ status: 'ignored' });
    expect(await unmatched('pi_nothing')).toEqual([]);
  });

  it.each([
    ['one cent less, wait', { underpaid: 'wait' }, '9.99', { status: 'pending', exception: 'underpaid', amount_received: '9.99' },
      { 'USD pending': '999', 'USD provider': '999' }, undefined],
    ['one cent less, credit', { underpaid: 'credit' }, '9.99', { status: 'succeeded', exception: 'underpaid', amount_received: '9.99', fee: '0.25' },
      { 'USD available': '974', 'USD fees': '25', 'USD provider': '999' }, undefined],
    ['one cent less, refund', { underpaid: 'refund' }, '9.99', { status: 'pending', exception: 'underpaid', amount_received: '0.00' },
      { 'USD provider': '999', 'USD unmatched': '999' }, { amount_minor: '999', reason: 'underpaid', wish: 'refund' }],
    ['exactly what was asked', {}, '10.00', { status: 'succeeded', exception: null, amount_received: '10.00', fee: '0.25' },
      { 'USD available': '975', 'USD fees': '25', 'USD provider': '1000' }, undefined],
    ['one cent more, credit', { overpaid: 'credit' }, '10.01', { status: 'succeeded', exception: 'overpaid', amount_received: '10.01', fee: '0.25' },
      { 'USD available': '976', 'USD fees': '25', 'USD provider': '1001' }, undefined],
    ['one cent more, refund', { overpaid: 'refund' }, '10.01', { status: 'succeeded', exception: 'overpaid', amount_received: '10.00', fee: '0.25' },
      { 'USD available': '975', 'USD fees': '25', 'USD provider': '1001', 'USD unmatched': '1' }, { amount_minor: '1', reason: 'overpaid', wish: 'refund' }],
    ['one cent less within the tolerance', { tolerance: '0.01' }, '9.99', { status: 'succeeded', exception: null, amount_received: '9.99' },
      { 'USD available': '974', 'USD fees': '25', 'USD provider': '999' }, undefined],
  ])('%s', async (_what, paymentRules, amount, payment, booked, kept) => {
    const id = await newPayment();
    await rules(paymentRules);
    const webhook = generic(id, { amount, reference: `ref_${id}` });
    await settled(webhook);
    expect(await paymentOf(id)).toMatchObject(payment);
    expect(await balances()).toEqual(booked);
    expect(await unmatched(`ref_${id}`)).toMatchObject(kept ? [kept] : []);
  });

  it('takes a second payment as money above what was asked', async () => {
    const id = await newPayment();
    await settled(generic(id));
    expect(await settled(generic(id))).toMatchObject({ status: 'applied' });
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', exception: 'overpaid', amount_received: '20.00', fee: '0.50' });
    expect(await balances()).toEqual({ 'USD available': '1950', 'USD fees': '50', 'USD provider': '2000' });
  });

  it.each([
    ['queue', { status: 'expired', exception: 'paid_late', amount_received: '0.00' }, { 'USD provider': '1000', 'USD unmatched': '1000' }, [{ reason: 'late' }]],
    ['credit_locked', { status: 'succeeded', exception: 'paid_late', amount_received: '10.00' },
      { 'USD available': '975', 'USD fees': '25', 'USD provider': '1000' }, []],
  ])('late money, rule %s', async (late, payment, booked, kept) => {
    const id = await newPayment();
    await rules({ late });
    await expiredAt(id, new Date(Date.now() - MINUTE_MS));
    await settled(generic(id, { reference: `ref_${id}` }));
    expect(await paymentOf(id)).toMatchObject(payment);
    expect(await balances()).toEqual(booked);
    expect(await unmatched(`ref_${id}`)).toMatchObject(kept);
  });

  it('credits money that came in time although it was told of late', async () => {
    const id = await newPayment();
    await expiredAt(id, new Date(Date.now() - MINUTE_MS));
    await settled(generic(id, { createdAt: new Date(Date.now() - 2 * MINUTE_MS) }));
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', exception: null });
  });

  it('keeps a part that is told of after the payment expired, and takes no other payment\'s part for it', async () => {
    const waits = await newPayment();
    await settled(generic(waits, { amount: '4.00' }));
    const id = await newPayment();
    await settled(generic(id, { amount: '4.00' }));
    await expiredAt(id, new Date(Date.now() - MINUTE_MS));
    const inTime = { createdAt: new Date(Date.now() - 2 * MINUTE_MS), reference: `rest_${id}` };
    expect(await settled(generic(id, { ...inTime, amount: '6.00' }))).toMatchObject({ status: 'quarantined' });
    const untouched = await newPayment();
    await expiredAt(untouched, new Date(Date.now() - MINUTE_MS));
    expect(await settled(generic(untouched, { ...inTime, reference: `part_${untouched}`, amount: '3.00' }))).toMatchObject({ status: 'quarantined' });
    expect(await unmatched(`rest_${id}`)).toMatchObject([{ amount_minor: '600', reason: 'underpaid' }]);
    expect(await unmatched(`part_${untouched}`)).toMatchObject([{ amount_minor: '300', reason: 'underpaid' }]);
    expect(await paymentOf(untouched)).toMatchObject({ status: 'expired', exception: 'underpaid', amount_received: '0.00' });
    expect(await balances()).toEqual({ 'USD pending': '400', 'USD provider': '1700', 'USD unmatched': '1300' });
  });

  describe('replaying', () => {
    const replay = (command: ReplayCommand) => runInContext(
      { requestId: 'req_replay', actor: { type: 'operator', id: 'ops' }, startedAt: 0 },
      () => gateway.app.get(ReplayInbox, { strict: false }).replay(command),
    );
    const giveUp = (webhook: SignedWebhook) => gateway.database.rows(
      `update graphile_worker._private_jobs set attempts = max_attempts
        where payload ->> 'event_id' = $1 and locked_at is null and attempts > 0 returning id`, [eventIdOf(webhook)],
    );

    it('shows an event that could not be applied, and applies it when it is replayed', async () => {
      const id = await newPayment();
      await gateway.database.rows(`
        create function break_payments() returns trigger language plpgsql as $$ begin raise exception 'the disk of user@example.com is full'; end $$`);
      await gateway.database.rows(`create trigger break_payments before update on payments for each row when (old.id = '${id}') execute function break_payments()`);
      const webhook = generic(id);
      await deliver(gateway.url, webhook);
      await eventually(async () => (await giveUp(webhook)).length === 1);
      expect(await inboxOf(webhook)).toEqual({ status: 'failed', outcome: null, attempts: 1, last_error: 'the disk of u***r@example.com is full' });
      expect(await balances()).toEqual({});

      await gateway.database.rows('drop function break_payments cascade');
      const replayed = await replay({ status: 'failed', limit: 10 });
      expect(replayed).toEqual([{ source: 'generic', eventId: eventIdOf(webhook), previousStatus: 'failed' }]);
      await eventually(async () => (await inboxOf(webhook))?.status === 'applied');
      expect(await inboxOf(webhook)).toMatchObject({ attempts: 2, last_error: null });
      expect(await paymentOf(id)).toMatchObject({ status: 'succeeded' });
      const audit = await gateway.database.rows(
        `select actor_type, actor_id, request_id, before from audit_events where kind = 'webhook.replayed' and object_id = $1`, [`generic:${eventIdOf(webhook)}`],
      );
      expect(audit).toEqual([{ actor_type: 'operator', actor_id: 'ops', request_id: 'req_replay', before: { status: 'failed' } }]);
    });

    it('takes an event that was put aside once more, and its money only once', async () => {
      const id = await newPayment('card');
      const webhook = byStripe(id, { amount: 999 });
      await settled(webhook);
      const before = [await balances(), await unmatched(`pi_${id}`)];
      expect(await replay({ source: 'stripe', eventId: eventIdOf(webhook) })).toMatchObject([{ previousStatus: 'quarantined' }]);
      await eventually(async () => (await inboxOf(webhook))?.status === 'ignored');
      expect([await balances(), await unmatched(`pi_${id}`)]).toEqual(before);
    });

    it('refuses to replay what was applied, and what never came', async () => {
      const webhook = generic(await newPayment());
      await settled(webhook);
      await expect(replay({ source: 'generic', eventId: eventIdOf(webhook) })).rejects.toMatchObject({ code: 'state_conflict' });
      await expect(replay({ source: 'generic', eventId: 'never' })).rejects.toMatchObject({ code: 'not_found' });
      expect(await inboxOf(webhook)).toMatchObject({ status: 'applied', attempts: 1 });
    });
  });
});
