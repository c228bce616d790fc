import { z } from 'zod';
import { CURRENCY_CODES } from '../money/currency';
import { amountText, suitsCurrency } from '../platform/http/amounts';
import { listQuery, pageOf } from '../platform/http/pagination';
import { freeText, idSchema, metadataSchema, visibleText } from '../platform/http/validation';
import { PAYMENT_METHODS } from './payment';
import { paymentObject } from './payment-presenter';
import { PAYMENT_EXCEPTIONS, PAYMENT_STATUSES } from './payment-state';

const payer = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()]).optional(),
  user_agent: visibleText(1, 500).optional(),
  email: z.email().max(254).optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two capital letters').optional(),
});

const returnUrl = z.url({ protocol: /^https?$/, hostname: z.regexes.domain, error: 'must be an http or https address with a host name' }).max(2048);

export const createPaymentBody = z
  .strictObject({
    amount: amountText,
    currency: z.enum(CURRENCY_CODES),
    method: z.enum(PAYMENT_METHODS),
    customer: visibleText(1, 255).optional().meta({ description: 'Your own name for the payer.' }),
    payer: payer.optional(),
    description: freeText(1, 1000).optional(),
    metadata: metadataSchema.default({}),
    expires_in: z.int().min(60).max(86_400).default(1800).meta({ description: 'Seconds until it expires.' }),
    return_url: returnUrl.optional(),
  })
  .superRefine(suitsCurrency);
export type CreatePaymentBody = z.output<typeof createPaymentBody>;

export const paymentId = z.strictObject({ id: idSchema('pay') });

export const listPaymentsQuery = listQuery('pay', {
  status: z.enum(PAYMENT_STATUSES).optional(),
  method: z.enum(PAYMENT_METHODS).optional(),
  currency: z.enum(CURRENCY_CODES).optional(),
  customer: visibleText(1, 255).optional(),
});
export type ListPaymentsQuery = z.output<typeof listPaymentsQuery>;
export const paymentPage = pageOf(paymentObject);

export const timelineEntry = z.object({
  id: z.string(),
  type: z.string().meta({ examples: ['payment.succeeded'] }),
  at: z.iso.datetime(),
  status: z.enum(PAYMENT_STATUSES),
  exception: z.enum(PAYMENT_EXCEPTIONS).nullable(),
  amount_received: z.string(),
});
export const timeline = z.object({ object: z.literal('list'), data: z.array(timelineEntry), has_more: z.boolean() });
export const timelineQuery = listQuery('evt', {});

export const simulateBody = z.strictObject({
  amount: amountText.optional().meta({ description: 'Default: what is still due.' }),
  confirmations: z.int().min(0).max(1000).default(19).meta({ description: 'Below 19 the money is seen but not final.' }),
  outcome: z.enum(['succeeded', 'failed', 'timeout', 'reorganised', 'duplicate']).default('succeeded'),
  card_fingerprint: visibleText(1, 100).optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two capital letters').optional(),
});
export type SimulateBody = z.output<typeof simulateBody>;
