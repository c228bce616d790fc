/** Where a withdrawal is on its way. `completed`, `rejected`, `canceled` and `failed` are final. */
export const WITHDRAWAL_STATUSES = ['pending_review', 'approved', 'processing', 'completed', 'rejected', 'canceled', 'failed'] as const;
export type WithdrawalStatus = (typeof WITHDRAWAL_STATUSES)[number];

export type WithdrawalTrigger = 'approve' | 'reject' | 'cancel' | 'pay' | 'complete' | 'fail';

/**
 * The whole life of a withdrawal. The funds are held from the request on; `completed` posts the hold, `rejected`, `canceled` and `failed`
 * let it go. The database holds the same table in withdrawal_may_become().
 */
export const WITHDRAWAL_TRANSITIONS: Readonly<Record<WithdrawalStatus, Partial<Record<WithdrawalTrigger, WithdrawalStatus>>>> = {
  pending_review: { approve: 'approved', reject: 'rejected', cancel: 'canceled' },
  approved: { pay: 'processing', fail: 'failed' },
  processing: { complete: 'completed', fail: 'failed' },
  completed: {},
  rejected: {},
  canceled: {},
  failed: {},
};

/** The status after a trigger, or undefined when the status does not allow it. */
export function statusAfter(status: WithdrawalStatus, trigger: WithdrawalTrigger): WithdrawalStatus | undefined {
  return WITHDRAWAL_TRANSITIONS[status][trigger];
}
