import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import type { SignedDelivery } from './inbound-source';
import { MalformedEventError } from './provider-event';
import { stripeSource } from './stripe';

const stripe = new Stripe('sk_test_not_used');
const SECRET = 'whsec_test_only';
const NOW = 1_700_000_000;
const BODY = '{"id":"evt_1","object":"event"}';
const hex = (timestamp: string | number, secret = SECRET): string =>
  createHmac('sha256', secret).update(`${timestamp}.${BODY}`).digest('hex');
const GOOD = hex(NOW);
const flip = (text: string): string => (text.startsWith('0') ? '1' : '0') + text.slice(1);

function verify(header: string | string[] | undefined, change: Partial<SignedDelivery> = {}): string {
  const delivery = { rawBody: Buffer.from(BODY), headers: { 'stripe-signature': header }, nowSeconds: NOW, secrets: [SECRET], ...change };
  const verified = stripeSource.verify(delivery);
  return verified.ok ? 'ok' : verified.failure;
}

describe('stripeSource.verify', () => {
  it('accepts what Stripe\'s own library signs', () => {
    const header = stripe.webhooks.generateTestHeaderString({ payload: BODY, secret: SECRET, timestamp: NOW });
    expect(verify(header)).toBe('ok');
    expect(verify(header, { rawBody: Buffer.from(`${BODY} `) })).toBe('signature_mismatch');
  });

  it.each([
    ['one header in a list', [`t=${NOW},v1=${GOOD}`]],
    ['any of several signatures', `t=${NOW},v1=${'0'.repeat(64)},v1=${GOOD}`],
    ['a good signature beside one that is no digest', `t=${NOW},v1=deadbeef,v1=${GOOD}`],
    ['other schemes beside it', `t=${NOW},v0=${'0'.repeat(64)},v1=${GOOD},v2=x`],
    ['another order', `v1=${GOOD},t=${NOW}`],
  ])('accepts %s', (_what, header) => {
    expect(verify(header)).toBe('ok');
  });

  it('accepts every active secret and no other', () => {
    const header = `t=${NOW},v1=${hex(NOW, 'whsec_old')}`;
    expect(verify(header, { secrets: ['whsec_new', 'whsec_old'] })).toBe('ok');
    expect(verify(header, { secrets: ['whsec_new'] })).toBe('signature_mismatch');
    expect(verify(header, { secrets: [] })).toBe('signature_mismatch');
    expect(verify(`t=${NOW},v1=${hex(NOW, '')}`, { secrets: [''] })).toBe('signature_mismatch');
  });

  it('accepts 300 seconds to either side and not one more', () => {
    for (const [timestamp, outcome] of [
      [NOW - 300, 'ok'], [NOW + 300, 'ok'], [NOW - 301, 'timestamp_out_of_window'], [NOW + 301, 'timestamp_out_of_window'],
    ] as const) {
      expect([timestamp, verify(`t=${timestamp},v1=${hex(timestamp)}`)]).toEqual([timestamp, outcome]);
    }
  });

  it.each([
    ['signature_missing', undefined], ['signature_missing', ''], ['signature_missing', []],
    ['timestamp_out_of_window', `t=${NOW - 301},v1=${GOOD}`], ['timestamp_out_of_window', `t=${NOW + 301},v1=${flip(GOOD)}`],
    ['signature_malformed', `t=${NOW - 301},v1=${GOOD}00`],
    ['signature_mismatch', `t=${NOW},v1=${flip(GOOD)}`], ['signature_mismatch', `t=${NOW - 1},v1=${GOOD}`],
    ['signature_malformed', `t=${NOW},v1=${GOOD}zz`], ['signature_malformed', `t=${NOW},v1=${GOOD}00`],
    ['signature_malformed', `t=${NOW},v1=${GOOD.slice(2)}`],
    ['signature_malformed', `t=${NOW},v1=${GOOD.toUpperCase()}`], ['signature_malformed', `t=${NOW},v1=`],
    ['signature_malformed', `t=${NOW},v1`],
    ['signature_malformed', `t=${NOW}`], ['signature_malformed', `v1=${GOOD}`], ['signature_malformed', `t=${NOW},v0=${GOOD}`],
    ['signature_malformed', `t=${NOW},t=${NOW},v1=${GOOD}`], ['signature_malformed', `t=,v1=${GOOD}`],
    ['signature_malformed', `t=${NOW},v1=${GOOD}, t=${NOW},v1=${GOOD}`],
    ['signature_malformed', [`t=${NOW},v1=${GOOD}`, `t=${NOW},v1=${GOOD}`]],
    ['signature_malformed', `t=${NOW},v1=${GOOD}\n`], ['signature_malformed', ',,,=,='], ['signature_malformed', 'é'],
    ...['-1', '+1', '1e9', '0', '00', `0${NOW}`, '0x10', '1.5', 'NaN', 'Infinity', '9'.repeat(20), '9'.repeat(400)]
      .map((t): [string, string] => ['signature_malformed', `t=${t},v1=${hex(t)}`]),
  ])('answers %s to %j', (failure, header) => {
    expect(verify(header)).toBe(failure);
  });
});

describe('stripeSource.parse', () => {
  const intent = { id: 'pi_1', amount: 1999, amount_received: 1500, currency: 'usd', metadata: { payment_id: 'pay_1', order_id: 'o1' } };
  const event = { id: 'evt_1', object: 'event', created: NOW, livemode: false, type: 'payment_intent.succeeded', data: { object: intent } };
  const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const withIntent = (change: object, type = event.type): Buffer => bytes({ ...event, type, data: { object: { ...intent, ...change } } });

  it('reads a success with what arrived and what was asked for', () => {
    expect(stripeSource.parse(bytes({ ...event, pending_webhooks: 2, api_version: 'x' }))).toEqual({
      source: 'stripe', eventId: 'evt_1', type: 'payment_intent.succeeded', kind: 'payment.succeeded', livemode: false,
      occurredAt: new Date(NOW * 1000),
      subject: { reference: 'pi_1', paymentId: 'pay_1', amountMinor: 1500n, expectedAmountMinor: 1999n, currency: 'USD' },
    });
  });

  it('reads yen as whole yen', () => {
    const { subject } = stripeSource.parse(withIntent({ amount: 500, amount_received: 500, currency: 'jpy' }));
    expect(subject).toMatchObject({ amountMinor: 500n, currency: 'JPY' });
  });

  it('reads processing and failure with the amount that is meant', () => {
    const processing = stripeSource.parse(withIntent({ amount_received: 0 }, 'payment_intent.processing'));
    expect(processing).toMatchObject({ kind: 'payment.processing', subject: { amountMinor: 1999n, expectedAmountMinor: 1999n } });
    const error = { last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds', message: 'x' } };
    const failed = stripeSource.parse(withIntent({ ...error, amount_received: undefined }, 'payment_intent.payment_failed'));
    expect(failed).toMatchObject({ kind: 'payment.failed', failureCode: 'insufficient_funds', subject: { amountMinor: 1999n } });
    const plain = stripeSource.parse(withIntent({ last_payment_error: { code: 'expired_card' } }, 'payment_intent.payment_failed'));
    expect(plain.failureCode).toBe('expired_card');
    expect(stripeSource.parse(withIntent({ last_payment_error: null }, 'payment_intent.payment_failed'))).not.toHaveProperty('failureCode');
  });

  it.each([
    'payment_intent.canceled', 'charge.refunded', 'invoice.paid', 'constructor', '__proto__',
  ])('ignores %s but says what it is about', (type) => {
    const ignored = stripeSource.parse(bytes({ ...event, type, data: { object: { id: 'ob_1' } } }));
    expect(ignored).toMatchObject({ kind: 'ignored', type, subject: { reference: 'ob_1' } });
    expect(stripeSource.parse(bytes({ ...event, type, data: { object: {} } })).subject.reference).toBeUndefined();
  });

  it.each([
    undefined, null, {}, { payment_id: 7 }, { payment_id: '' }, { payment_id: 'a\0b' }, 'text',
  ])('takes no payment from metadata %j', (metadata) => {
    expect(stripeSource.parse(withIntent({ metadata })).subject.paymentId).toBeUndefined();
  });

  it.each<[string, Buffer | string]>([
    ['no JSON', '{'], ['nothing', ''], ['a byte order mark', `\uFEFF${JSON.stringify(event)}`], ['null', 'null'], ['a list', '[]'],
    ['a string', '"evt_1"'],
    ['invalid UTF-8 in a field that nobody reads', Buffer.from(JSON.stringify({ ...event, note: 'é' }), 'latin1')],
    ['deep nesting', '['.repeat(45_000) + ']'.repeat(45_000)],
    ['an event of another kind', bytes({ ...event, object: 'v2.core.event' })], ['no id', bytes({ ...event, id: undefined })],
    ['an empty id', bytes({ ...event, id: '' })],
    ['a long id', bytes({ ...event, id: 'e'.repeat(256) })], ['an id with NUL', bytes({ ...event, id: 'evt_\0' })],
    ['a mode in words', bytes({ ...event, livemode: 'false' })],
    ['a huge time', bytes({ ...event, created: 1e15 })], ['a negative time', bytes({ ...event, created: -1 })],
    ['no object', bytes({ ...event, data: {} })],
    ['a list as object', bytes({ ...event, data: { object: [] } })], ['an amount as text', withIntent({ amount: '1999' })],
    ['a broken amount', withIntent({ amount: 19.99 })],
    ['a negative amount', withIntent({ amount_received: -1 })],
    ['an amount that no number holds', JSON.stringify(event).replace('1500', '9007199254740993')],
    ['an endless amount', JSON.stringify(event).replace('1500', '1e400')],
    ['a success without what arrived', withIntent({ amount_received: undefined })],
    ['no currency', withIntent({ currency: undefined })], ['an upper-case currency', withIntent({ currency: 'USD' })],
    ['no reference', withIntent({ id: undefined })],
  ])('refuses %s', (_what, body) => {
    expect(() => stripeSource.parse(Buffer.from(body))).toThrow(MalformedEventError);
  });

  it('names the field and repeats no value', () => {
    const body = withIntent({ amount_received: '4242424242424242' });
    expect(() => stripeSource.parse(body)).toThrow(/^(?!.*4242).*"data\.object\.amount_received"/);
  });
});
