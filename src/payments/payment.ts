import type { CurrencyCode } from '../money/currency';
import type { Risk } from '../fraud/risk';
import type { PaymentException, PaymentStatus } from './payment-state';

export const PAYMENT_METHODS = ['card', 'usdt_trc20', 'simulated'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

/** What a merchant tells about the payer, for the fraud rules; never the merchant's own server. */
export interface Payer {
  ip?: string;
  user_agent?: string;
  email?: string;
  country?: string;
}

/** Where a payment stands with the people who look at what looks odd; null where nobody has to, `lapsed` where it ended before they did. */
export type PaymentReview = 'held' | 'released' | 'rejected' | 'lapsed' | null;

/** A request for money from a customer. Amounts are minor units of `currency`, or of `payCurrency` from `payAmountMinor` on. */
export interface Payment {
  clientId: string;
  livemode: boolean;
  id: string;
  status: PaymentStatus;
  /** What is unusual about its money. That it is under review stands in `review`. */
  exception: PaymentException | null;
  review: PaymentReview;
  risk: Risk | null;
  amountMinor: bigint;
  currency: CurrencyCode;
  payAmountMinor: bigint;
  payCurrency: CurrencyCode;
  amountReceivedMinor: bigint;
  amountRefundedMinor: bigint;
  /** Refunds that are asked for and not decided yet; what is refundable is received less refunded less this. */
  amountRefundingMinor: bigint;
  feeMinor: bigint;
  feeBps: number;
  method: PaymentMethod;
  providerReference: string | null;
  /** Where a chain payment is to be sent; made for this payment alone. */
  depositAddress: string | null;
  customer: string | null;
  payer: Payer | null;
  /** Whom the IP of the payer stands for where payers are counted. */
  payerNetwork: string | null;
  description: string | null;
  returnUrl: string | null;
  metadata: Record<string, string>;
  expiresAt: Date;
  createdAt: Date;
  updatedAt: Date;
  /** Grows with every change; a change decided on an older one is decided again. */
  revision: bigint;
}

/** A payment as PostgreSQL hands it over: numerics as text. */
export interface PaymentRow {
  client_id: string;
  livemode: boolean;
  id: string;
  status: PaymentStatus;
  exception: PaymentException | null;
  review: PaymentReview;
  risk: Risk | null;
  amount_minor: string;
  currency: CurrencyCode;
  pay_amount_minor: string;
  pay_currency: CurrencyCode;
  amount_received_minor: string;
  amount_refunded_minor: string;
  amount_refunding_minor: string;
  fee_minor: string;
  fee_bps: number;
  method: PaymentMethod;
  provider_reference: string | null;
  deposit_address: string | null;
  customer: string | null;
  payer: Payer | null;
  payer_network: string | null;
  description: string | null;
  return_url: string | null;
  metadata: Record<string, string>;
  expires_at: Date;
  created_at: Date;
  updated_at: Date;
  revision: string;
}

/** Reads a row into the domain's types. */
export function paymentFromRow(row: PaymentRow): Payment {
  return {
    clientId: row.client_id,
    livemode: row.livemode,
    id: row.id,
    status: row.status,
    exception: row.exception,
    review: row.review,
    risk: row.risk,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    payAmountMinor: BigInt(row.pay_amount_minor),
    payCurrency: row.pay_currency,
    amountReceivedMinor: BigInt(row.amount_received_minor),
    amountRefundedMinor: BigInt(row.amount_refunded_minor),
    amountRefundingMinor: BigInt(row.amount_refunding_minor),
    feeMinor: BigInt(row.fee_minor),
    feeBps: row.fee_bps,
    method: row.method,
    providerReference: row.provider_reference,
    depositAddress: row.deposit_address,
    customer: row.customer,
    payer: row.payer,
    payerNetwork: row.payer_network,
    description: row.description,
    returnUrl: row.return_url,
    metadata: row.metadata,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    revision: BigInt(row.revision),
  };
}

/** The columns of a payment, as the SQL function create_payment takes them. */
export function paymentColumns(payment: Payment): Record<keyof PaymentRow, unknown> {
  return {
    client_id: payment.clientId,
    livemode: payment.livemode,
    id: payment.id,
    status: payment.status,
    exception: payment.exception,
    review: payment.review,
    risk: payment.risk,
    amount_minor: payment.amountMinor.toString(),
    currency: payment.currency,
    pay_amount_minor: payment.payAmountMinor.toString(),
    pay_currency: payment.payCurrency,
    amount_received_minor: payment.amountReceivedMinor.toString(),
    amount_refunded_minor: payment.amountRefundedMinor.toString(),
    amount_refunding_minor: payment.amountRefundingMinor.toString(),
    fee_minor: payment.feeMinor.toString(),
    fee_bps: payment.feeBps,
    method: payment.method,
    provider_reference: payment.providerReference,
    deposit_address: payment.depositAddress,
    customer: payment.customer,
    payer: payment.payer,
    payer_network: payment.payerNetwork,
    description: payment.description,
    return_url: payment.returnUrl,
    metadata: payment.metadata,
    expires_at: payment.expiresAt,
    created_at: payment.createdAt,
    updated_at: payment.updatedAt,
    revision: payment.revision.toString(),
  };
}
