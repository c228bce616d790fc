import { z } from 'zod';
import { riskObject } from '../../fraud/risk';
import { CURRENCY_CODES } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { PAYMENT_METHODS } from '../payment';
import type { Refund } from './refund';
import { REFUND_STATUSES } from './refund-state';

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });

/** A refund as its client, its events and the stored answers show it. */
export const refundObject = z.object({
  id: z.string(),
  object: z.literal('refund'),
  livemode: z.boolean(),
  payment: z.string().nullable().meta({ description: 'The payment; null for a deposit that no payment took.' }),
  status: z.enum(REFUND_STATUSES),
  amount: z.string().meta({ description: 'Decimal string with all decimals of its currency.', examples: ['25.00'] }),
  currency: z.enum(CURRENCY_CODES).meta({ description: 'The pay_currency of the payment.' }),
  reason: z.string().nullable(),
  destination: z.string().nullable().meta({ description: 'The whole address, for chain payments.' }),
  approvals_required: z.int(),
  approvals: z.int(),
  transaction_hash: z.string().nullable().meta({ description: 'The chain transaction that paid it.' }),
  failure: z.string().nullable().meta({ description: 'Why it was rejected or failed.' }),
  risk: riskObject,
  revision: z.int().meta({ description: 'Grows with every change.' }),
  created_at: time,
  updated_at: time,
}).meta({ id: 'Refund' });
export type RefundObject = z.output<typeof refundObject>;

/** A refund as staff see it who decide on it: the destination is the text that they sign. */
export const adminRefundObject = refundObject.extend({
  client: z.string(),
  deposit: z.string().nullable().meta({ description: 'The unmatched deposit that it gives back.' }),
  method: z.enum([...PAYMENT_METHODS, 'deposit']),
  destination: z.string().meta({ description: 'The whole destination, as it is signed; empty where the money goes back the way it came.' }),
  requested_by: z.string().meta({ description: 'The key or the person who asked for it; that person never decides.' }),
  age_seconds: z.int(),
}).meta({ id: 'AdminRefund' });
export type AdminRefundObject = z.output<typeof adminRefundObject>;

/** Shows a refund to its client. */
export function presentRefund(refund: Refund): RefundObject {
  return {
    id: refund.id,
    object: 'refund',
    livemode: refund.livemode,
    payment: refund.paymentId,
    status: refund.status,
    amount: formatAmount(refund.amountMinor, refund.currency),
    currency: refund.currency,
    reason: refund.reason,
    destination: refund.destination || null,
    approvals_required: refund.approvalsRequired,
    approvals: refund.approvals,
    transaction_hash: refund.transactionHash,
    failure: refund.failure,
    risk: refund.risk,
    revision: Number(refund.revision),
    created_at: refund.createdAt.toISOString(),
    updated_at: refund.updatedAt.toISOString(),
  };
}

/** Shows a refund to staff. */
export function presentRefundToStaff(refund: Refund, now = new Date()): AdminRefundObject {
  return {
    ...presentRefund(refund),
    client: refund.clientId,
    deposit: refund.depositId,
    method: refund.method,
    destination: refund.destination,
    requested_by: refund.requestedBy,
    age_seconds: Math.max(0, Math.floor((now.getTime() - refund.createdAt.getTime()) / 1000)),
  };
}
