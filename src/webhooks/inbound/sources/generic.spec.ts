import { createHmac } from 'node:crypto';
import { genericSource } from './generic';
import type { SignedDelivery } from './inbound-source';
import { MalformedEventError } from './provider-event';

const source = genericSource('generic');
const SECRET = 'generic secret';
const NOW = 1_700_000_000;
const BODY = '{"id":"1"}';
const hex = (timestamp: string | number, secret = SECRET): string =>
  createHmac('sha256', secret).update(`${timestamp}.${BODY}`).digest('hex');
const GOOD = hex(NOW);
const flip = (text: string): string => (text.startsWith('0') ? '1' : '0') + text.slice(1);

type Header = string | string[] | undefined;

function verify(timestamp: Header, signature: Header, change: Partial<SignedDelivery> = {}): string {
  const headers = { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature };
  const verified = source.verify({ rawBody: Buffer.from(BODY), headers, nowSeconds: NOW, secrets: [SECRET], ...change });
  return verified.ok ? 'ok' : verified.failure;
}

describe('genericSource.verify', () => {
  it('accepts a signature over the time and the bytes', () => {
    expect(verify(String(NOW), GOOD)).toBe('ok');
    expect(verify([String(NOW)], [GOOD])).toBe('ok');
    expect(verify(String(NOW), GOOD, { rawBody: Buffer.from('{ "id":"1"}') })).toBe('signature_mismatch');
  });

  it('signs bytes that are not text as they are', () => {
    const rawBody = Buffer.from([0xff, 0xfe, 0x00, 0xc3]);
    const signature = createHmac('sha256', SECRET).update(`${NOW}.`).update(rawBody).digest('hex');
    expect(verify(String(NOW), signature, { rawBody })).toBe('ok');
  });

  it('accepts every active secret and no other', () => {
    const signature = hex(NOW, 'old');
    expect(verify(String(NOW), signature, { secrets: ['new', 'old'] })).toBe('ok');
    expect(verify(String(NOW), signature, { secrets: ['new'] })).toBe('signature_mismatch');
  });

  it('accepts 300 seconds to either side and not one more', () => {
    const outcomes = [NOW - 301, NOW - 300, NOW + 300, NOW + 301].map((timestamp) => verify(String(timestamp), hex(timestamp)));
    expect(outcomes).toEqual(['timestamp_out_of_window', 'ok', 'ok', 'timestamp_out_of_window']);
  });

  const now = String(NOW);
  it.each<[string, Header, Header]>([
    ['signature_missing', undefined, GOOD], ['signature_missing', now, undefined], ['signature_missing', '', GOOD],
    ['signature_missing', now, ''], ['signature_missing', now, []],
    ['timestamp_out_of_window', String(NOW - 301), GOOD], ['timestamp_out_of_window', String(NOW + 301), flip(GOOD)],
    ['signature_malformed', String(NOW - 301), `${GOOD}00`],
    ['signature_mismatch', now, flip(GOOD)], ['signature_mismatch', String(NOW - 1), GOOD],
    ['signature_malformed', now, `${GOOD}zz`], ['signature_malformed', now, `${GOOD}00`], ['signature_malformed', now, GOOD.slice(2)],
    ['signature_malformed', now, GOOD.toUpperCase()], ['signature_malformed', now, ` ${GOOD}`],
    ['signature_malformed', now, `${GOOD}\n`], ['signature_malformed', now, `v1=${GOOD}`],
    ['signature_malformed', now, `${GOOD}, ${GOOD}`], ['signature_malformed', now, [GOOD, GOOD]],
    ['signature_malformed', `${now}, ${now}`, hex(`${now}, ${now}`)],
    ['signature_malformed', [now, now], GOOD],
    ...['-1', '+1', '1e9', '0', `0${NOW}`, '0x10', '1.5', 'NaN', ' 1', '9'.repeat(20), '9'.repeat(400)]
      .map((t): [string, Header, Header] => ['signature_malformed', t, hex(t)]),
  ])('answers %s to %j and %j', (failure, timestamp, signature) => {
    expect(verify(timestamp, signature)).toBe(failure);
  });
});

describe('genericSource.parse', () => {
  const data = { payment_id: 'pay_1', amount: '25.00', currency: 'USD', reference: 'ref-9' };
  const event = { id: 'ev-1', type: 'payment.succeeded', created_at: '2026-01-02T03:04:05.678Z', data };
  const bytes = (change: object): Buffer => Buffer.from(JSON.stringify({ ...event, ...change }));
  const withData = (change: object, type = event.type): Buffer => bytes({ type, data: { ...data, ...change } });

  it('reads a success', () => {
    expect(source.parse(bytes({}))).toEqual({
      source: 'generic', eventId: 'ev-1', type: 'payment.succeeded', kind: 'payment.succeeded', livemode: undefined,
      occurredAt: new Date('2026-01-02T03:04:05.678Z'),
      subject: { reference: 'ref-9', paymentId: 'pay_1', amountMinor: 2500n, expectedAmountMinor: undefined, currency: 'USD' },
    });
  });

  it('carries the name of the source that it was made for', () => {
    const parsed = genericSource('tron').parse(withData({ amount: '12.000001', currency: 'USDT' }));
    expect(parsed).toMatchObject({ source: 'tron', subject: { amountMinor: 12_000_001n } });
  });

  it.each(['payment.processing', 'payment.failed'])('does without a reference in %s', (type) => {
    expect(source.parse(withData({ reference: undefined }, type))).toMatchObject({ kind: type, subject: { reference: undefined } });
  });

  it('reads times with an offset', () => {
    expect(source.parse(bytes({ created_at: '2026-01-02T05:04:05+02:00' })).occurredAt).toEqual(new Date('2026-01-02T03:04:05Z'));
  });

  it.each<[string, Buffer]>([
    ['no JSON', Buffer.from('id=1')], ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])], ['a list', Buffer.from('[]')],
    ['another type', bytes({ type: 'payment.refunded' })], ['a field more', bytes({ status: 'succeeded' })],
    ['a field more in data', withData({ livemode: true })],
    ['a prototype', Buffer.from(JSON.stringify(event).replace('{', '{"__proto__":{"x":1},'))],
    ['no id', bytes({ id: undefined })], ['a number as id', bytes({ id: 1 })], ['an empty id', bytes({ id: '' })],
    ['a long id', bytes({ id: 'x'.repeat(256) })],
    ['a space in the id', bytes({ id: 'a b' })], ['an id beyond ASCII', bytes({ id: 'é' })], ['a line end in the id', bytes({ id: 'a\n' })],
    ['no time', bytes({ created_at: undefined })], ['a time in seconds', bytes({ created_at: NOW })],
    ['a time without zone', bytes({ created_at: '2026-01-02T03:04:05' })],
    ['a day that is none', bytes({ created_at: '2026-02-30T03:04:05Z' })], ['no data', bytes({ data: undefined })],
    ['no payment', withData({ payment_id: undefined })], ['a success without reference', withData({ reference: undefined })],
    ['no currency', withData({ currency: undefined })],
    ['an unknown currency', withData({ currency: 'XXX' })], ['a lower-case currency', withData({ currency: 'usd' })],
    ['an inherited currency', withData({ currency: 'constructor' })],
    ...[25, '25.001', '1e3', '0x10', '-1', '0', '-0', ' 1', '1.', '.5', '', 'NaN', '9'.repeat(40), null, true]
      .map((amount): [string, Buffer] => [`the amount ${String(amount)}`, withData({ amount })]),
    ['yen with decimals', withData({ amount: '1.0', currency: 'JPY' })],
  ])('refuses %s', (_what, body) => {
    expect(() => source.parse(body)).toThrow(MalformedEventError);
  });

  it('says what to change', () => {
    expect(() => source.parse(withData({ amount: '25.001' }))).toThrow('"data.amount": USD has 2 decimals; write no more than that.');
    expect(() => source.parse(withData({ reference: undefined }))).toThrow('"data.reference": is required when a payment has succeeded.');
  });
});
