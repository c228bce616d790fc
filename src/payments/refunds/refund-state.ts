/** Where a refund is on its way. `succeeded` and `failed` are final. */
export const REFUND_STATUSES = ['pending', 'requires_approval', 'succeeded', 'failed'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

export type RefundTrigger = 'approve' | 'reject' | 'succeed' | 'fail';

/**
 * The whole life of a refund. The funds are held from the start; `succeeded` posts the hold, `failed` lets it go.
 * The database holds the same table in refund_may_become().
 */
export const REFUND_TRANSITIONS: Readonly<Record<RefundStatus, Partial<Record<RefundTrigger, RefundStatus>>>> = {
  requires_approval: { approve: 'pending', reject: 'failed' },
  pending: { succeed: 'succeeded', fail: 'failed' },
  succeeded: {},
  failed: {},
};

/** The status after a trigger, or undefined when the status does not allow it. */
export function refundStatusAfter(status: RefundStatus, trigger: RefundTrigger): RefundStatus | undefined {
  return REFUND_TRANSITIONS[status][trigger];
}
