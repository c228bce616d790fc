import { Gateway } from './support/gateway';
import { eventually } from './support/eventually';
import type { Merchant } from './support/merchant';
import {
  deliver, eventIdOf, genericWebhook, secondsFromNow, signedByStripe, signedGenerically, type SignedWebhook, stripeWebhook,
} from './support/providers';

const ALLOWED = '203.0.113.7';
const flipped = (webhook: SignedWebhook): SignedWebhook => ({ ...webhook, body: webhook.body.replace('"usd"', '"use"').replace('"USD"', '"EUR"') });

describe('receiving webhooks', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterAll(() => gateway.stop());

  const newPayment = async (method: 'card' | 'simulated' = 'card'): Promise<string> =>
    (await merchant.post<{ id: string }>('/v1/payments', { amount: '25.00', currency: 'USD', method })).body.id;
  const statusOf = (id: string) => gateway.database.value<string>('select status from payments where id = $1', [id]);
  const stored = (webhook: SignedWebhook) => gateway.database.rows(
    'select status, duplicates::int, payload from inbox_events where source = $1 and event_id = $2', [webhook.source, eventIdOf(webhook)],
  );
  const securityEvent = (kind: string, at: Gateway = gateway) => at.database.rows(
    'select distinct severity, source, route, action from security_events where kind = $1', [kind],
  );
  const paidStripe = (id: string) => stripeWebhook({ intent: `pi_${id}`, paymentId: id, amount: 2500 });
  const paidGeneric = (id: string) => genericWebhook({ paymentId: id, amount: '25.00', reference: `ref-${id}` });

  it.each([['stripe', paidStripe], ['generic', paidGeneric]])('accepts what %s signs, and applies it', async (_source, paid) => {
    const id = await newPayment();
    const webhook = paid(id);
    const answer = await deliver(gateway.url, webhook);
    expect([answer.status, answer.body]).toEqual([200, { received: true }]);
    expect(answer.headers.get('x-ratelimit-limit')).toBe('1000');
    await eventually(async () => (await statusOf(id)) === 'succeeded');
    expect(await stored(webhook)).toEqual([{ status: 'applied', duplicates: 0, payload: webhook.body }]);
    const { body } = await merchant.get(`/v1/payments/${id}`);
    expect(body).toMatchObject({ status: 'succeeded', exception: null, amount_received: '25.00', fee: '0.63' });
    const transfers = await gateway.database.rows(
      'select debit_kind, credit_kind, amount_minor, code from ledger_transfers where reference_id = $1 order by code', [id],
    );
    expect(transfers).toEqual([
      { debit_kind: 'available', credit_kind: 'fees', amount_minor: '63', code: 'fee' },
      { debit_kind: 'provider', credit_kind: 'available', amount_minor: '2500', code: 'payment' },
    ]);
    expect(await gateway.database.rows('select data from events where object_id = $1 and type = $2', [id, 'payment.succeeded'])).toEqual([{ data: body }]);
    const [audit] = await gateway.database.rows('select actor_type, actor_id from audit_events where object_id = $1 and kind = $2', [id, 'payment.succeeded']);
    expect(audit).toEqual({ actor_type: 'provider', actor_id: webhook.source });
  });

  it.each([
    ['stripe', 'a changed byte', () => flipped(stripeWebhook({ intent: 'pi_1', amount: 1 })), 'webhook.signature_mismatch', 'high'],
    ['generic', 'a changed byte', () => flipped(genericWebhook({ paymentId: 'p', amount: '1', reference: 'r' })), 'webhook.signature_mismatch', 'high'],
    ['stripe', 'another secret', () => stripeWebhook({ intent: 'pi_1', amount: 1 }, { secret: 'whsec_of_somebody_else' }), 'webhook.signature_mismatch', 'high'],
    ['generic', 'digits behind the signature', () => {
      const webhook = genericWebhook({ paymentId: 'p', amount: '1', reference: 'r' });
      return { ...webhook, headers: { ...webhook.headers, 'x-webhook-signature': `${webhook.headers['x-webhook-signature']}zz` } };
    }, 'webhook.signature_malformed', 'medium'],
    ['stripe', 'a body that was written again', () => {
      const webhook = stripeWebhook({ intent: 'pi_1', amount: 1 });
      return { ...webhook, body: JSON.stringify(JSON.parse(webhook.body), null, 1) };
    }, 'webhook.signature_mismatch', 'high'],
    ['stripe', 'no signature', () => ({ source: 'stripe', body: '{"id":"evt_1"}', headers: {} }), 'webhook.signature_missing', 'medium'],
    ['generic', 'nothing at all', () => ({ source: 'generic', body: '', headers: {} }), 'webhook.signature_missing', 'medium'],
  ])('refuses %s with %s', async (_source, _what, make, kind, severity) => {
    const before = await gateway.database.value('select count(*) from inbox_events');
    const answer = await deliver(gateway.url, make());
    expect([answer.status, answer.body.code]).toEqual([401, 'signature_invalid']);
    expect(await gateway.database.value('select count(*) from inbox_events')).toBe(before);
    expect(await securityEvent(kind)).toEqual([
      { severity, source: '127.0.0.1', route: 'POST /v1/webhooks/:source', action: 'refused with 401 signature_invalid' },
    ]);
  });

  // The clock may tick once before the gateway looks, so 301 s in the future could be 300 by then; the unit tests hold the exact edge.
  it.each([-301, 302])('refuses a genuine signature that is %i seconds from now', async (seconds) => {
    for (const webhook of [
      stripeWebhook({ intent: 'pi_1', amount: 1 }, { timestamp: secondsFromNow(seconds) }),
      genericWebhook({ paymentId: 'p', amount: '1', reference: 'r' }, { timestamp: secondsFromNow(seconds) }),
    ]) {
      const answer = await deliver(gateway.url, webhook);
      expect([answer.status, answer.body.code]).toEqual([401, 'signature_expired']);
      expect(await stored(webhook)).toEqual([]);
    }
    expect(await securityEvent('webhook.timestamp_out_of_window')).toHaveLength(1);
  });

  it('accepts a signature that is 295 seconds old', async () => {
    const answer = await deliver(gateway.url, stripeWebhook({ intent: 'pi_old', amount: 1 }, { timestamp: secondsFromNow(-295) }));
    expect(answer.status).toBe(200);
  });

  it('refuses a signed body that is no event, and an empty one', async () => {
    for (const webhook of [
      signedByStripe(''), signedByStripe('['.repeat(45_000) + ']'.repeat(45_000)), signedByStripe('{"id":1}'),
      signedGenerically('{"__proto__":{"id":"x"}}'), signedGenerically('null'),
    ]) {
      const answer = await deliver(gateway.url, webhook);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    }
    expect(await securityEvent('webhook.malformed')).toHaveLength(1);
  });

  it('refuses a body that is too large, in another character set, compressed or not JSON', async () => {
    const huge = signedByStripe(`{"pad":"${'x'.repeat(256 * 1024)}"}`);
    expect((await deliver(gateway.url, huge)).status).toBe(413);
    expect(await securityEvent('webhook.too_large')).toHaveLength(1);
    const small = stripeWebhook({ intent: 'pi_1', amount: 1 });
    const odd: Record<string, string>[] = [
      { 'content-type': 'application/json; charset=latin1' }, { 'content-encoding': 'gzip' }, { 'content-type': 'text/plain' },
    ];
    for (const headers of odd) expect((await deliver(gateway.url, small, headers)).status).toBe(415);
    expect(await stored(small)).toEqual([]);
  });

  it.each(['nobody', 'constructor', '__proto__', 'Stripe', 'stripe%00'])('knows no source %s', async (source) => {
    const answer = await deliver(gateway.url, { ...stripeWebhook({ intent: 'pi_1', amount: 1 }), source });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    expect(await securityEvent('webhook.unknown_source')).toHaveLength(1);
  });

  it('does not receive from a source without a secret', async () => {
    const other = await Gateway.start({ environment: { WEBHOOK_SECRET_STRIPE: '' }, database: gateway.database });
    try {
      expect((await deliver(other.url, stripeWebhook({ intent: 'pi_1', amount: 1 }, { secret: 'x' }))).status).toBe(404);
      expect((await deliver(other.url, paidGeneric(await newPayment()))).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  it('takes Stripe only from the allowed addresses, and believes no stranger about its address', async () => {
    const guarded = await Gateway.start({ environment: { STRIPE_WEBHOOK_ALLOWED_IPS: ALLOWED }, database: gateway.database });
    try {
      const webhook = stripeWebhook({ intent: 'pi_ip', amount: 1 });
      const claims: Record<string, string>[] = [{}, { 'x-forwarded-for': ALLOWED }, { forwarded: `for=${ALLOWED}` }];
      for (const headers of claims) {
        const answer = await deliver(guarded.url, webhook, headers);
        expect([answer.status, answer.body.code]).toEqual([403, 'ip_not_allowed']);
      }
      expect(await stored(webhook)).toEqual([]);
      expect(await securityEvent('webhook.ip_not_allowed', guarded)).toMatchObject([{ severity: 'high', source: '127.0.0.1' }]);
      expect((await deliver(guarded.url, paidGeneric(await newPayment()))).status).toBe(200);
    } finally {
      await guarded.stop();
    }
  });

  it('takes the address from a trusted proxy, as the proxy saw it', async () => {
    const environment = { STRIPE_WEBHOOK_ALLOWED_IPS: ALLOWED, TRUSTED_PROXIES: '127.0.0.1/32' };
    const proxied = await Gateway.start({ environment, database: gateway.database });
    try {
      const webhook = stripeWebhook({ intent: 'pi_proxied', amount: 1 });
      const statusFrom = async (forwarded: string) => (await deliver(proxied.url, webhook, { 'x-forwarded-for': forwarded })).status;
      // A proxy appends the address that it saw; what stands before it was written by the sender.
      expect([await statusFrom('198.51.100.1'), await statusFrom(`${ALLOWED}, 198.51.100.1`)]).toEqual([403, 403]);
      expect(await statusFrom(`198.51.100.1, ${ALLOWED}`)).toBe(200);
    } finally {
      await proxied.stop();
    }
  });

  it('credits 100 parallel copies of one webhook once', async () => {
    const id = await newPayment();
    const webhook = paidStripe(id);
    const answers = await Promise.all(Array.from({ length: 100 }, () => deliver(gateway.url, webhook)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(answers.filter(({ body }) => body.duplicate !== true)).toHaveLength(1);
    await eventually(async () => (await statusOf(id)) === 'succeeded');
    expect(await stored(webhook)).toEqual([{ status: 'applied', duplicates: 99, payload: webhook.body }]);
    expect(await gateway.database.rows('select amount_minor from payment_receipts where payment_id = $1', [id])).toEqual([{ amount_minor: '2500' }]);
    expect(await gateway.database.value('select count(*)::int from ledger_transfers where reference_id = $1', [id])).toBe(2);
  });

  it('refuses another content under a known event id, and changes nothing', async () => {
    const id = await newPayment();
    const genuine = stripeWebhook({ id: `evt_${id}`, intent: `pi_${id}`, paymentId: id, amount: 2500 });
    await deliver(gateway.url, genuine);
    await eventually(async () => (await statusOf(id)) === 'succeeded');
    const snapshot = () => gateway.database.rows(
      `select p.revision, p.amount_received_minor, i.fingerprint, i.payload, i.duplicates,
              (select count(*) from events e where e.object_id = p.id) as events
         from payments p, inbox_events i where p.id = $1 and i.event_id = $2`, [id, `evt_${id}`],
    );
    const before = await snapshot();
    for (const change of [{ amount: 9900 }, { intent: 'pi_other' }, { type: 'processing' as const }, { currency: 'eur' }]) {
      const answer = await deliver(gateway.url, stripeWebhook({ id: `evt_${id}`, intent: `pi_${id}`, paymentId: id, amount: 2500, ...change }));
      expect([answer.status, answer.body.code]).toEqual([409, 'event_conflict']);
    }
    expect(await snapshot()).toEqual(before);
    expect(await securityEvent('webhook.event_conflict')).toMatchObject([{ severity: 'critical' }]);
  });

  it('accepts the same event with other delivery counters as a repetition', async () => {
    const webhook = stripeWebhook({ intent: 'pi_counter', amount: 1 });
    await deliver(gateway.url, webhook);
    const again = signedByStripe(webhook.body.replace('"pending_webhooks":1', '"pending_webhooks":0'));
    expect((await deliver(gateway.url, again)).body).toEqual({ received: true, duplicate: true });
  });
});
