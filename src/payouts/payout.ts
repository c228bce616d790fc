import type { CurrencyCode } from '../money/currency';
import type { Book } from '../platform/outbox/outbox';

/**
 * `created`: stored, nothing sent. `sending`: it may be on its way. `unknown`: it was sent and nobody answered; only a look-up tells.
 * `completed` and `failed` are final.
 */
export const PAYOUT_STATUSES = ['created', 'sending', 'unknown', 'completed', 'failed'] as const;
export type PayoutStatus = (typeof PAYOUT_STATUSES)[number];

/** Who pays: the simulator (test mode only), or people by hand, whose chain transfer is then verified. */
export type PayoutPortName = 'manual' | 'simulator';
/** What showed that a payout was made. */
export type SettledBy = 'chain' | 'simulator' | 'people';

/** What is to be paid, for whichever object asks for it. */
export interface PayoutOrder extends Book {
  /** The withdrawal or refund that it pays. */
  subjectId: string;
  amountMinor: bigint;
  currency: CurrencyCode;
  /** Whole. */
  destination: string;
  /** When it was asked for: nothing that was paid earlier can have paid it. */
  notBefore: Date;
}

/** One attempt to pay. While one is alive there is no second for the same subject: the database holds payouts_one_alive. */
export interface Payout extends PayoutOrder {
  id: string;
  attempt: number;
  port: PayoutPortName;
  status: PayoutStatus;
  /** How often it was handed to its port. */
  sends: number;
  /** The outside name of what paid it, for example `<hash>:<address>`. */
  reference: string | null;
  /** The person who pays it by hand. */
  begunBy: string | null;
  failure: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface PayoutRow {
  client_id: string;
  livemode: boolean;
  id: string;
  subject_id: string;
  attempt: number;
  port: PayoutPortName;
  status: PayoutStatus;
  amount_minor: string;
  currency: CurrencyCode;
  destination: string;
  sends: number;
  reference: string | null;
  begun_by: string | null;
  failure: string | null;
  not_before: Date;
  created_at: Date;
  updated_at: Date;
}

/** Reads a row into the domain's types. */
export function payoutFromRow(row: PayoutRow): Payout {
  return {
    clientId: row.client_id,
    livemode: row.livemode,
    id: row.id,
    subjectId: row.subject_id,
    attempt: row.attempt,
    port: row.port,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    destination: row.destination,
    sends: row.sends,
    reference: row.reference,
    begunBy: row.begun_by,
    failure: row.failure,
    notBefore: row.not_before,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
