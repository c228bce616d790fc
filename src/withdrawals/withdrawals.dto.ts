import { z } from 'zod';
import { decisionBody } from '../auth/decisions/decisions.dto';
import { CURRENCY_CODES } from '../money/currency';
import { SIMULATED_OUTCOMES } from '../payouts/simulator';
import { amountText, suitsCurrency } from '../platform/http/amounts';
import { listQuery, pageOf } from '../platform/http/pagination';
import { freeText, idSchema } from '../platform/http/validation';
import { adminWithdrawalObject, withdrawalObject } from './withdrawal-presenter';
import { WITHDRAWAL_STATUSES } from './withdrawal-state';

const request = {
  amount: amountText,
  currency: z.enum(CURRENCY_CODES),
  destination: idSchema('dst').meta({ description: 'One of the saved destinations.' }),
};

export const requestWithdrawalBody = z.strictObject(request).superRefine(suitsCurrency);
export type RequestWithdrawalBody = z.output<typeof requestWithdrawalBody>;

export const requestForClientBody = z.strictObject({
  client: idSchema('cli'),
  livemode: z.boolean(),
  ...request,
}).superRefine(suitsCurrency);
export type RequestForClientBody = z.output<typeof requestForClientBody>;

export const withdrawalId = z.strictObject({ id: idSchema('wd') });

export const listWithdrawalsQuery = listQuery('wd', {
  status: z.enum(WITHDRAWAL_STATUSES).optional(),
  destination: idSchema('dst').optional(),
});
export type ListWithdrawalsQuery = z.output<typeof listWithdrawalsQuery>;
export const withdrawalPage = pageOf(withdrawalObject);

export const adminListQuery = listQuery('wd', {
  status: z.enum(WITHDRAWAL_STATUSES).optional(),
  client: idSchema('cli').optional(),
  livemode: z.enum(['true', 'false']).transform((text) => text === 'true').optional(),
  currency: z.enum(CURRENCY_CODES).optional(),
  amount_gte: z.string().max(60).optional().meta({ description: 'Decimal amount; needs currency.' }),
}).refine((query) => query.amount_gte === undefined || query.currency !== undefined, { path: ['amount_gte'], message: 'needs currency as well' });
export type AdminListQuery = z.output<typeof adminListQuery>;
export const adminWithdrawalPage = pageOf(adminWithdrawalObject);

const reason = freeText(1, 500);
export const approveBody = decisionBody;
export const rejectBody = decisionBody.extend({ reason: reason.optional() });
export type RejectBody = z.output<typeof rejectBody>;

const hash = z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be the 64 hex digits of a TRON transaction')
  .transform((text) => text.replace(/^0x/, '').toLowerCase());

/** A payout on a chain is shown by its hash; one through a bank is signed, with evidence, by two people. */
export const completeBody = z.union([
  z.strictObject({ hash, totp_code: decisionBody.shape.totp_code.optional() }),
  decisionBody.extend({ evidence: freeText(1, 2000).meta({ description: "What shows that the bank has paid, for example its reference." }) }),
], 'must be {hash} for a payout on a chain, or a signed decision with evidence for one through a bank');
export type CompleteBody = z.output<typeof completeBody>;

/** One word is enough, unless somebody has signed that a bank has paid: then people have to sign that it has not. */
export const failBody = z.union([z.strictObject({ reason }), decisionBody.extend({ reason })], 'must be {reason}, or a signed decision with a reason');
export type FailBody = z.output<typeof failBody>;

export const simulateWithdrawalBody = z.strictObject({
  decision: z.enum(['approve', 'reject']).default('approve'),
  payout: z.enum(SIMULATED_OUTCOMES).default('completed')
    .meta({ description: 'completed; failed: refused; timeout: paid, but nobody answers; lost: never arrives the first time.' }),
});
export type SimulateWithdrawalBody = z.output<typeof simulateWithdrawalBody>;
