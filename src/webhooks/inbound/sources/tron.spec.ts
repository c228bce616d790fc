import { tronSource } from './tron';
import { MalformedEventError } from './provider-event';

const event = (data: unknown, more: object = {}) =>
  Buffer.from(JSON.stringify({ id: 'notice-1', type: 'transfer.seen', created_at: '2026-01-01T12:00:00Z', data, ...more }));

describe('a notice about the chain', () => {
  it('names a payment or an address, and nothing of it is money', () => {
    const { kind, eventId, subject } = tronSource.parse(event({ payment_id: 'pay_1', address: 'T1', amount: '5.00', currency: 'USDT', reference: 'x' }, { more: 1 }));
    expect([kind, eventId, subject]).toEqual(['ignored', 'notice-1', {
      paymentId: 'pay_1', reference: 'T1', amountMinor: undefined, expectedAmountMinor: undefined, currency: undefined,
    }]);
  });

  it.each([
    ['no data', event(undefined)], ['data that is a list', event([])], ['an address with a space', event({ address: 'T 1' })],
    ['no id', event({}, { id: undefined })], ['no time', event({}, { created_at: 'now' })], ['no JSON', Buffer.from('{')],
  ])('is refused with %s', (_what, body) => {
    expect(() => tronSource.parse(body)).toThrow(MalformedEventError);
  });
});
