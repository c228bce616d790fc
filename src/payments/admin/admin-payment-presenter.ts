import { z } from 'zod';
import { CURRENCY_CODES } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { columnsOf } from '../../platform/http/csv-export';
import type { Payment } from '../payment';
import { paymentObject, presentPayment } from '../payment-presenter';
import { paymentOverrideObject } from './payment-override';

/** What staff see beside what the merchant sees. */
const staffFields = z.object({
  client: z.string(),
  amount_refunding: z.string().meta({ description: 'Asked back and not decided or paid yet, in pay_currency.' }),
  amount_due: z.string().meta({ description: 'What is still to be paid, in pay_currency.' }),
  destination: z.string().meta({ description: 'As it is signed to force the payment: its deposit address, or empty.' }),
  fee_bps: z.int(),
  payer: z.object({
    ip: z.string().optional(), user_agent: z.string().optional(), email: z.string().optional(), country: z.string().optional(),
  }).nullable(),
  revision: z.int().meta({ description: 'Grows with every change; decisions are bound to it.' }),
});
/** A payment as staff see it: with its client, what the merchant told of the payer, and the revision that decisions are bound to. */
export const adminPaymentObject = z.intersection(paymentObject, staffFields);
/** Its fields in order, as the columns of a file. */
export const ADMIN_PAYMENT_COLUMNS = [...columnsOf(paymentObject), ...columnsOf(staffFields)];
export type AdminPaymentObject = z.output<typeof adminPaymentObject>;

/** Money that was credited to a payment, as its row holds it. */
export interface ReceiptRow {
  provider: string;
  reference: string;
  amount_minor: string;
  credited_minor: string;
  received_at: Date;
}

/** What a chain says has arrived at the payment's address. */
export interface ChainTransferRow {
  hash: string;
  contract: string;
  state: 'seen' | 'final' | 'gone' | 'reverted';
  amount_minor: string;
  from_address: string;
  block_time: Date;
  confirmations: string;
}

/** A payment with everything that arrived for it and was said about it. */
export const paymentFile = z.intersection(adminPaymentObject, z.object({
  receipts: z.array(z.object({
    provider: z.string(),
    reference: z.string(),
    amount: z.string(),
    credited: z.string().meta({ description: 'How much of it the payment took; the rest is an unmatched deposit.' }),
    currency: z.enum(CURRENCY_CODES),
    received_at: z.iso.datetime(),
  })),
  override: paymentOverrideObject.nullable(),
  chain_transfers: z.array(z.object({
    hash: z.string(),
    contract: z.string(),
    state: z.enum(['seen', 'final', 'gone', 'reverted']),
    amount_minor: z.string().meta({ description: "In the smallest units of the token: it need not be the one that was asked for." }),
    from: z.string(),
    block_time: z.iso.datetime(),
    confirmations: z.int(),
  })),
}));
export type PaymentFile = z.output<typeof paymentFile>;

/** What a payment still lacks; nothing once it has as much as it asked for. */
export function dueMinor(payment: Payment): bigint {
  const due = payment.payAmountMinor - payment.amountReceivedMinor;
  return due > 0n ? due : 0n;
}

/** Shows a payment to staff. */
export function presentPaymentToStaff(payment: Payment): AdminPaymentObject {
  return {
    ...presentPayment(payment),
    client: payment.clientId,
    amount_refunding: formatAmount(payment.amountRefundingMinor, payment.payCurrency),
    amount_due: formatAmount(dueMinor(payment), payment.payCurrency),
    destination: payment.depositAddress ?? '',
    fee_bps: payment.feeBps,
    payer: payment.payer,
    revision: Number(payment.revision),
  };
}

/** Shows money that was credited. */
export function presentReceipt({ provider, reference, amount_minor, credited_minor, received_at }: ReceiptRow, { payCurrency }: Payment) {
  return {
    provider,
    reference,
    amount: formatAmount(BigInt(amount_minor), payCurrency),
    credited: formatAmount(BigInt(credited_minor), payCurrency),
    currency: payCurrency,
    received_at: received_at.toISOString(),
  };
}

/** Shows what was seen on the chain. */
export function presentChainTransfer({ from_address, block_time, confirmations, ...transfer }: ChainTransferRow) {
  return { ...transfer, from: from_address, block_time: block_time.toISOString(), confirmations: Number(confirmations) };
}
