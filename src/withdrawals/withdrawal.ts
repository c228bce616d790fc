import type { DecisionSubject } from '../auth/decisions/signed-decisions';
import type { Risk } from '../fraud/risk';
import type { CurrencyCode } from '../money/currency';
import type { SettledBy } from '../payouts/payout';
import type { WithdrawalStatus } from './withdrawal-state';

/** A client's wish to have funds paid out. They are held from the request on. */
export interface Withdrawal extends DecisionSubject {
  status: WithdrawalStatus;
  destinationId: string;
  approvalsRequired: number;
  approvals: number;
  /** How many people have said that a bank payout was made; two complete it. */
  completions: number;
  risk: Risk;
  /** Where it stands with the people who look at what looks odd; while it is held nobody can approve it. */
  review: 'held' | 'released' | 'rejected' | null;
  /** The pending transfer that holds the funds. */
  holdId: string;
  settledBy: SettledBy | null;
  transactionHash: string | null;
  failure: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface WithdrawalRow {
  client_id: string;
  livemode: boolean;
  id: string;
  status: WithdrawalStatus;
  amount_minor: string;
  currency: CurrencyCode;
  destination_id: string;
  destination: string;
  requested_by: string;
  approvals_required: number;
  approvals: number;
  completions: number;
  risk: Risk;
  review: Withdrawal['review'];
  hold_id: string;
  settled_by: SettledBy | null;
  transaction_hash: string | null;
  failure: string | null;
  revision: string;
  created_at: Date;
  updated_at: Date;
}

/** Reads a row into the domain's types. */
export function withdrawalFromRow(row: WithdrawalRow): Withdrawal {
  return {
    clientId: row.client_id,
    livemode: row.livemode,
    id: row.id,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    destinationId: row.destination_id,
    destination: row.destination,
    requestedBy: row.requested_by,
    approvalsRequired: row.approvals_required,
    approvals: row.approvals,
    completions: row.completions,
    risk: row.risk,
    review: row.review,
    holdId: row.hold_id,
    settledBy: row.settled_by,
    transactionHash: row.transaction_hash,
    failure: row.failure,
    revision: BigInt(row.revision),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
