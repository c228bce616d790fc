import { sha256Hex } from '../../../platform/security/crypto/digests';

/** What an event means for a payment; `ignored` is everything that the gateway does not act on. */
export type ProviderEventKind = 'payment.processing' | 'payment.succeeded' | 'payment.failed' | 'ignored';

/** What an event is about, in the provider's words. Nothing here has been compared with our own payment yet. */
export interface ProviderEventSubject {
  /** The provider's own id of the payment, for example a PaymentIntent's `pi_…`. */
  readonly reference: string | undefined;
  /** Our id of the payment, when the provider was given it and sends it back. */
  readonly paymentId: string | undefined;
  /** In minor units: what arrived when the payment succeeded, else what it is meant to be. */
  readonly amountMinor: bigint | undefined;
  /** In minor units: what the provider was asked to collect, when it says so besides what arrived. */
  readonly expectedAmountMinor: bigint | undefined;
  /** Upper case. May be a currency that the gateway does not know; the amount is then in the provider's smallest unit. */
  readonly currency: string | undefined;
}

/** What the gateway needs to know of any provider's event. */
export interface ProviderEvent {
  readonly source: string;
  readonly eventId: string;
  /** The provider's own word for it. */
  readonly type: string;
  readonly kind: ProviderEventKind;
  /** Undefined when the provider does not tell test from live. */
  readonly livemode: boolean | undefined;
  readonly occurredAt: Date;
  readonly subject: ProviderEventSubject;
  /** Why the payment failed, in the provider's words. */
  readonly failureCode?: string;
}

/** A genuine delivery whose body cannot be read. The message is for the people who send it and repeats no value. */
export class MalformedEventError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedEventError';
  }
}

/**
 * A digest of what an event says happened. Two deliveries under one event id with the same digest are a repetition; with
 * different ones the id was used twice. Fields that change between deliveries of one event (times, counters) stay out.
 */
export function contentFingerprint(event: ProviderEvent): string {
  const { reference, paymentId, amountMinor, currency } = event.subject;
  // JSON keeps the fields apart, and null keeps an absent one apart from an empty one.
  const fields = [event.type, reference, paymentId, amountMinor?.toString(), currency, event.livemode];
  return sha256Hex(JSON.stringify(fields.map((field) => field ?? null)));
}
