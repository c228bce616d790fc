import { REFUND_STATUSES, refundStatusAfter, type RefundTrigger } from './refund-state';

const TRIGGERS: readonly RefundTrigger[] = ['approve', 'reject', 'succeed', 'fail'];

describe('the states of a refund', () => {
  it('wait for people only where they have to, and end once', () => {
    const table = REFUND_STATUSES.map((status) =>
      [status, ...TRIGGERS.map((trigger) => refundStatusAfter(status, trigger) ?? '-')].join(' '));
    expect(table).toEqual([
      'pending - - succeeded failed',
      'requires_approval pending failed - -',
      'succeeded - - - -',
      'failed - - - -',
    ]);
  });
});
