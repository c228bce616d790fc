import type { ProviderEvent } from '../../../platform/providers/provider-event';
import { contentFingerprint } from './provider-event';

const event: ProviderEvent = {
  source: 'stripe', eventId: 'evt_1', type: 'payment_intent.succeeded', kind: 'payment.succeeded', livemode: false, occurredAt: new Date(0),
  subject: { reference: 'pi_1', paymentId: 'pay_1', amountMinor: 1999n, expectedAmountMinor: 1999n, currency: 'USD' },
};
const withSubject = (change: Partial<ProviderEvent['subject']>): ProviderEvent => ({ ...event, subject: { ...event.subject, ...change } });

describe('contentFingerprint', () => {
  it('is the same for the same content', () => {
    expect(contentFingerprint(event)).toMatch(/^[0-9a-f]{64}$/);
    expect(contentFingerprint({ ...event, occurredAt: new Date(1), failureCode: 'x' })).toBe(contentFingerprint(event));
  });

  it.each<[string, ProviderEvent]>([
    ['type', { ...event, type: 'payment_intent.processing' }], ['mode', { ...event, livemode: true }],
    ['unknown mode', { ...event, livemode: undefined }],
    ['reference', withSubject({ reference: 'pi_2' })], ['payment', withSubject({ paymentId: 'pay_2' })],
    ['missing payment', withSubject({ paymentId: undefined })],
    ['amount', withSubject({ amountMinor: 2000n })], ['currency', withSubject({ currency: 'EUR' })],
    ['moved field', withSubject({ reference: 'pi_1pay_1', paymentId: '' })],
  ])('differs with another %s', (_what, other) => {
    expect(contentFingerprint(other)).not.toBe(contentFingerprint(event));
  });
});
