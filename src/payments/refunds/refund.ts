import type { DecisionSubject } from '../../auth/decisions/signed-decisions';
import type { Risk } from '../../fraud/risk';
import type { CurrencyCode } from '../../money/currency';
import type { PaymentMethod } from '../payment';
import type { RefundStatus } from './refund-state';

/**
 * Money that goes back: a part of a payment, or a deposit that no payment took. It is held from the start, out of the client's available
 * funds or out of the unmatched ones.
 */
export interface Refund extends DecisionSubject {
  /** What it gives back: one of the two. */
  paymentId: string | null;
  depositId: string | null;
  status: RefundStatus;
  /** How the money came. */
  method: PaymentMethod | 'deposit';
  reason: string | null;
  approvalsRequired: number;
  approvals: number;
  risk: Risk;
  /** The pending transfer that holds the funds. */
  holdId: string;
  /** The chain transaction that paid it, where one did. */
  transactionHash: string | null;
  failure: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface RefundRow {
  client_id: string;
  livemode: boolean;
  id: string;
  payment_id: string | null;
  deposit_id: string | null;
  status: RefundStatus;
  amount_minor: string;
  currency: CurrencyCode;
  method: Refund['method'];
  reason: string | null;
  destination: string;
  requested_by: string;
  approvals_required: number;
  approvals: number;
  risk: Risk;
  hold_id: string;
  transaction_hash: string | null;
  failure: string | null;
  revision: string;
  created_at: Date;
  updated_at: Date;
}

/** Reads a row into the domain's types. */
export function refundFromRow(row: RefundRow): Refund {
  return {
    clientId: row.client_id,
    livemode: row.livemode,
    id: row.id,
    paymentId: row.payment_id,
    depositId: row.deposit_id,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    method: row.method,
    reason: row.reason,
    destination: row.destination,
    requestedBy: row.requested_by,
    approvalsRequired: row.approvals_required,
    approvals: row.approvals,
    risk: row.risk,
    holdId: row.hold_id,
    transactionHash: row.transaction_hash,
    failure: row.failure,
    revision: BigInt(row.revision),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
