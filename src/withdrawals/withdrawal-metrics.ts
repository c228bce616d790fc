import type { Metrics } from '../platform/observability/metrics';
import type { Withdrawal } from './withdrawal';

/** Counts that a withdrawal has become what it is now; `blocked` is one that was refused for its risk and never was. */
export function countWithdrawal(
  metrics: Metrics, { livemode, risk, status }: Pick<Withdrawal, 'livemode' | 'risk'> & { status: Withdrawal['status'] | 'blocked' },
): void {
  metrics.increment('cpgateway_withdrawals_total', { status, decision: risk.decision, mode: livemode ? 'live' : 'test' });
}
