import { z } from 'zod';
import { decisionBody } from '../../auth/decisions/decisions.dto';
import { SIMULATED_OUTCOMES } from '../../payouts/simulator';
import { amountText } from '../../platform/http/amounts';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { freeText, idSchema, visibleText } from '../../platform/http/validation';
import { adminRefundObject, refundObject } from './refund-presenter';
import { REFUND_STATUSES } from './refund-state';

const reason = freeText(1, 500);

export const createRefundBody = z.strictObject({
  payment: idSchema('pay'),
  amount: amountText.optional()
    .meta({ description: 'In the pay_currency of the payment. Default: all that is left to refund.', examples: ['25.00'] }),
  reason: reason.optional().meta({ description: 'A note of yours.' }),
  destination: visibleText(1, 100).optional().meta({ description: 'For chain payments: the address that the money goes back to.' }),
});
export type CreateRefundBody = z.output<typeof createRefundBody>;

export const refundId = z.strictObject({ id: idSchema('ref') });

export const listRefundsQuery = listQuery('ref', {
  payment: idSchema('pay').optional(),
  status: z.enum(REFUND_STATUSES).optional(),
});
export type ListRefundsQuery = z.output<typeof listRefundsQuery>;
export const refundPage = pageOf(refundObject);

export const adminListRefundsQuery = listQuery('ref', {
  status: z.enum(REFUND_STATUSES).optional(),
  client: idSchema('cli').optional(),
  livemode: z.enum(['true', 'false']).transform((text) => text === 'true').optional(),
});
export type AdminListRefundsQuery = z.output<typeof adminListRefundsQuery>;
export const adminRefundPage = pageOf(adminRefundObject);

export const approveRefundBody = decisionBody;
export const rejectRefundBody = decisionBody.extend({ reason: reason.optional() });
export type RejectRefundBody = z.output<typeof rejectRefundBody>;

export const completeRefundBody = z.strictObject({
  hash: z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be the 64 hex digits of a TRON transaction')
    .transform((text) => text.replace(/^0x/, '').toLowerCase()),
});
export type CompleteRefundBody = z.output<typeof completeRefundBody>;

export const failRefundBody = z.strictObject({ reason });
export type FailRefundBody = z.output<typeof failRefundBody>;

export const simulateRefundBody = z.strictObject({
  decision: z.enum(['approve', 'reject']).default('approve'),
  payout: z.enum(SIMULATED_OUTCOMES).default('completed')
    .meta({ description: 'completed; failed: refused; timeout: paid, but nobody answers; lost: never arrives the first time.' }),
});
export type SimulateRefundBody = z.output<typeof simulateRefundBody>;
