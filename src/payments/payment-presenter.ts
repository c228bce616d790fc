import { z } from 'zod';
import { CURRENCY_CODES } from '../money/currency';
import { formatAmount } from '../money/money';
import { metadataSchema } from '../platform/http/validation';
import { riskObject } from '../fraud/risk';
import { type Payment, PAYMENT_METHODS } from './payment';
import { PAYMENT_EXCEPTIONS, PAYMENT_STATUSES, type PaymentException } from './payment-state';

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });
const amount = z.string().meta({ description: 'Decimal string with all decimals of its currency.', examples: ['25.00'] });

/** A payment as the API, the events and the stored answers show it. */
export const paymentObject = z.object({
  id: z.string(),
  object: z.literal('payment'),
  livemode: z.boolean(),
  status: z.enum(PAYMENT_STATUSES),
  exception: z.enum(PAYMENT_EXCEPTIONS).nullable(),
  amount,
  currency: z.enum(CURRENCY_CODES),
  pay_amount: amount,
  pay_currency: z.enum(CURRENCY_CODES),
  amount_received: amount.meta({ description: 'In pay_currency.' }),
  amount_refunded: amount.meta({ description: 'In pay_currency.' }),
  fee: amount.meta({ description: 'In pay_currency, rounded half up, kept on refund.' }),
  method: z.enum(PAYMENT_METHODS),
  rate: z.string().nullable().meta({ description: 'Locked until it expires; null where both currencies are the same.' }),
  deposit_address: z.string().nullable(),
  provider_reference: z.string().nullable(),
  customer: z.string().nullable(),
  description: z.string().nullable(),
  return_url: z.string().nullable(),
  risk: riskObject.nullable().meta({ description: 'Null for payments from before there was an assessment.' }),
  checkout_url: z.string().nullable(),
  metadata: metadataSchema,
  expires_at: time,
  created_at: time,
  updated_at: time,
}).meta({ id: 'Payment' });
export type PaymentObject = z.output<typeof paymentObject>;

/** The first that holds, in the order in which they are listed. */
function shownException({ exception, review }: Payment): PaymentException | null {
  return review === 'held' && exception !== 'unknown' ? 'under_review' : exception;
}

/** Shows a payment. What the payer told the merchant (address, device) is kept for the fraud rules and never shown. */
export function presentPayment(payment: Payment): PaymentObject {
  const paid = (minor: bigint) => formatAmount(minor, payment.payCurrency);
  return {
    id: payment.id,
    object: 'payment',
    livemode: payment.livemode,
    status: payment.status,
    exception: shownException(payment),
    amount: formatAmount(payment.amountMinor, payment.currency),
    currency: payment.currency,
    pay_amount: paid(payment.payAmountMinor),
    pay_currency: payment.payCurrency,
    amount_received: paid(payment.amountReceivedMinor),
    amount_refunded: paid(payment.amountRefundedMinor),
    fee: paid(payment.feeMinor),
    method: payment.method,
    rate: null,
    deposit_address: payment.depositAddress,
    provider_reference: payment.providerReference,
    customer: payment.customer,
    description: payment.description,
    return_url: payment.returnUrl,
    risk: payment.risk,
    checkout_url: null,
    metadata: payment.metadata,
    expires_at: payment.expiresAt.toISOString(),
    created_at: payment.createdAt.toISOString(),
    updated_at: payment.updatedAt.toISOString(),
  };
}
