import type { ProviderEvent } from '../../../platform/providers/provider-event';
import { sha256Hex } from '../../../platform/security/crypto/digests';

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
