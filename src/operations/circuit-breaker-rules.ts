import { DIFFERENCE_FOUND } from './reconciliation/comparison';

/** So many security events of a kind, or of a severity, within so many minutes are more than withdrawals should go on through. */
export interface BreakerRule {
  /** In words, for the reason that people read. */
  what: string;
  column: 'kind' | 'severity';
  value: string;
  limit: number;
  minutes: number;
  /** From so many different sources at least: what one merchant does alone must not stop the withdrawals of all. */
  sources?: number;
}

/** The kind under which a trip is told. */
export const TRIPPED = 'circuit_breaker.tripped';

/**
 * When withdrawals are paused without anybody being asked. A change of these figures is a change of the product: it is reviewed like
 * one, and there is no setting for it. Repetitions that the log has coalesced into a row count each.
 */
export const BREAKER_RULES: readonly BreakerRule[] = [
  { what: 'critical security events', column: 'severity', value: 'critical', limit: 3, minutes: 10 },
  { what: 'large withdrawals', column: 'kind', value: 'suspicious.large_withdrawal', limit: 5, minutes: 10, sources: 2 },
  { what: 'contradictions between chain sources', column: 'kind', value: 'chain.disagreement', limit: 10, minutes: 10 },
];

/**
 * What no rule counts. Trips themselves, because a breaker that counts its own alarms never lets go. And what anybody outside can
 * cause at will, with wrong passwords or an old token of an account of their own: those are answered where they happen (the address
 * is blocked, the session ends), and must not let a stranger stop the withdrawals of all clients. Nor does it count that staff look at a
 * day's differences again and again.
 */
export const NEVER_COUNTED: readonly string[] = [
  TRIPPED, DIFFERENCE_FOUND, 'suspicious.failed_staff_logins', 'suspicious.refresh_token_reused',
];
