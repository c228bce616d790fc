/** Where a payment is on its way. `succeeded` and `canceled` are final; `failed` and `expired` can still be paid. */
export const PAYMENT_STATUSES = ['pending', 'processing', 'succeeded', 'expired', 'canceled', 'failed'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** What is unusual about a payment, the gravest first; an object shows the first that holds. */
export const PAYMENT_EXCEPTIONS = ['unknown', 'under_review', 'paid_late', 'underpaid', 'overpaid'] as const;
export type PaymentException = (typeof PAYMENT_EXCEPTIONS)[number];

export type PaymentTrigger = 'process' | 'succeed' | 'fail' | 'expire' | 'cancel' | 'reorganise' | 'wait' | 'hold' | 'reject';

/**
 * The whole life of a payment. The statuses that a provider's events lead to only ever climb (pending, processing, failed,
 * succeeded), so events end in the same state whatever order they arrive in: money that came always wins. A part of the money
 * makes the payment wait for the rest (`wait`), as `pending`, whatever was said of it before. What is paid under review is
 * `processing` until people release it (`hold`), and `canceled` when they do not (`reject`): money that comes later is nobody's success.
 * The database holds the same table in payment_may_become().
 */
export const PAYMENT_TRANSITIONS: Readonly<Record<PaymentStatus, Partial<Record<PaymentTrigger, PaymentStatus>>>> = {
  pending: { process: 'processing', succeed: 'succeeded', fail: 'failed', expire: 'expired', cancel: 'canceled', wait: 'pending', hold: 'processing', reject: 'canceled' },
  processing: { succeed: 'succeeded', fail: 'failed', reorganise: 'pending', wait: 'pending', hold: 'processing', reject: 'canceled' },
  failed: { succeed: 'succeeded', wait: 'pending', hold: 'processing', reject: 'canceled' },
  expired: { succeed: 'succeeded' },
  succeeded: {},
  canceled: {},
};

/** The status after a trigger, or undefined when the status does not allow it. */
export function statusAfter(status: PaymentStatus, trigger: PaymentTrigger): PaymentStatus | undefined {
  return PAYMENT_TRANSITIONS[status][trigger];
}
