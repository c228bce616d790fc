import type { Query } from '../../auth/decisions/signed-decisions';
import { NotFoundProblem, Problem } from '../../platform/http/problem';

/** `refunding` while a refund of it is decided on or under way: it ends as `refunded`, or is `open` again. */
export const UNMATCHED_STATUSES = ['open', 'refunding', 'assigned', 'refunded'] as const;
export type UnmatchedStatus = (typeof UNMATCHED_STATUSES)[number];

/** Why no payment took it; the database's constraint unmatched_deposits_reason_check says the same. */
export const UNMATCHED_REASONS = [
  'no_payment', 'wrong_mode', 'wrong_method', 'wrong_amount', 'wrong_currency', 'wrong_asset',
  'late', 'underpaid', 'overpaid', 'closed_payment',
] as const;

/** Money that no payment took. */
export interface UnmatchedDeposit {
  id: string;
  /** `cpgateway` for a part of an expired payment, which has a name of our own. */
  provider: string;
  reference: string;
  /** The book that it is for, as far as that is known. */
  clientId: string | null;
  livemode: boolean | null;
  /** The payment that it was told for, and once it is assigned the one that took it. */
  paymentId: string | null;
  /** Smallest units of the currency. */
  amountMinor: bigint;
  /** As it was told: it need not be one of ours. */
  currency: string;
  reason: (typeof UNMATCHED_REASONS)[number];
  wish: 'review' | 'refund';
  status: UnmatchedStatus;
  /** Whether it stands in the ledger, in the account `unmatched` of its book; otherwise nobody's books know of it. */
  booked: boolean;
  details: Record<string, unknown>;
  receivedAt: Date;
  resolvedBy: string | null;
  resolvedAt: Date | null;
  resolution: string | null;
  revision: bigint;
}

/** A row as PostgreSQL hands it over. */
export interface UnmatchedRow {
  id: string;
  provider: string;
  reference: string;
  client_id: string | null;
  livemode: boolean | null;
  payment_id: string | null;
  amount_minor: string;
  currency: string;
  reason: UnmatchedDeposit['reason'];
  wish: UnmatchedDeposit['wish'];
  status: UnmatchedStatus;
  booked: boolean;
  details: Record<string, unknown>;
  received_at: Date;
  resolved_by: string | null;
  resolved_at: Date | null;
  resolution: string | null;
  revision: string;
}

/** Reads a row into the domain's types. */
export function depositFromRow(row: UnmatchedRow): UnmatchedDeposit {
  return {
    id: row.id,
    provider: row.provider,
    reference: row.reference,
    clientId: row.client_id,
    livemode: row.livemode,
    paymentId: row.payment_id,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    reason: row.reason,
    wish: row.wish,
    status: row.status,
    booked: row.booked,
    details: row.details,
    receivedAt: row.received_at,
    resolvedBy: row.resolved_by,
    resolvedAt: row.resolved_at,
    resolution: row.resolution,
    revision: BigInt(row.revision),
  };
}

/**
 * An open deposit, locked for whoever resolves it: of two who try, the second finds it resolved. Locked after the payment, as everywhere.
 *
 * @throws Problem 404; 409 `stale_revision` when it is not at the revision that was shown; 409 `state_conflict` when it is not open.
 */
export async function lockOpenDeposit(query: Query, id: string, revision: number | undefined): Promise<UnmatchedDeposit> {
  const [row] = await query<UnmatchedRow>('select * from unmatched_deposits where id = $1 for no key update', [id]);
  if (!row) throw new NotFoundProblem('unmatched deposit');
  const deposit = depositFromRow(row);
  if (deposit.status !== 'open') throw new Problem('state_conflict', `This deposit is ${deposit.status} and cannot be resolved again.`);
  if (revision !== undefined && BigInt(revision) !== deposit.revision) {
    throw new Problem('stale_revision', 'This deposit has changed since it was read. Read it again, then decide.');
  }
  return deposit;
}
