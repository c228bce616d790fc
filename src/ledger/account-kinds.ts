/** The side on which an account grows. */
export type Side = 'debit' | 'credit';

/**
 * Every kind of account, with its normal side; the database's constraint ledger_accounts_kind says the same.
 *
 * `provider` is money at a provider or on a chain, `available` what the client may spend, `pending` what is credited but not yet
 * released, `fees` what the gateway has earned, `payout` what has left or is about to, `unmatched` what no payment takes,
 * `disputed` what a dispute holds, `owed` what the client owes us, `provider_fees` what providers keep, `adjustments` corrections.
 */
export const ACCOUNT_KINDS = {
  provider: 'debit',
  owed: 'debit',
  provider_fees: 'debit',
  available: 'credit',
  pending: 'credit',
  fees: 'credit',
  payout: 'credit',
  unmatched: 'credit',
  disputed: 'credit',
  adjustments: 'credit',
} as const satisfies Record<string, Side>;

export type AccountKind = keyof typeof ACCOUNT_KINDS;

/**
 * The accounts that a client may read: what it owns, awaits, has paid and owes. Where its money lies (`provider`), what that
 * costs the gateway (`provider_fees`) and corrections under way (`adjustments`) are the gateway's own.
 */
export const STATEMENT_KINDS = [
  'available', 'pending', 'fees', 'payout', 'unmatched', 'disputed', 'owed',
] as const satisfies readonly AccountKind[];

export type StatementKind = (typeof STATEMENT_KINDS)[number];
