import { z } from 'zod';
import { decisionBody } from '../../auth/decisions/decisions.dto';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { freeText, idSchema } from '../../platform/http/validation';
import { submitTransactionBody } from '../chain/chain-payments.dto';
import { PAYMENT_METHODS } from '../payment';
import { PAYMENT_EXCEPTIONS, PAYMENT_STATUSES } from '../payment-state';
import { adminPaymentObject } from './admin-payment-presenter';
import { OVERRIDE_PROVIDERS, type OverrideProvider, paymentOverrideObject } from './payment-override';

export const adminListPaymentsQuery = listQuery('pay', {
  client: idSchema('cli').optional(),
  livemode: z.enum(['true', 'false']).transform((text) => text === 'true').optional(),
  status: z.enum(PAYMENT_STATUSES).optional(),
  method: z.enum(PAYMENT_METHODS).optional(),
  exception: z.enum(PAYMENT_EXCEPTIONS).optional(),
});
export type AdminListPaymentsQuery = z.output<typeof adminListPaymentsQuery>;
export const adminPaymentPage = pageOf(adminPaymentObject);

export const verifyPaymentBody = submitTransactionBody.partial();
export type VerifyPaymentBody = z.output<typeof verifyPaymentBody>;

const reason = freeText(1, 500).meta({ description: 'Why, for the audit log.' });

const endBody = z.strictObject({
  status: z.enum(['failed', 'canceled', 'expired']),
  reason,
  totp_code: decisionBody.shape.totp_code.optional()
    .meta({ description: 'A code of your second factor, unless you have entered one in the last five minutes.' }),
});
export type EndPaymentBody = z.output<typeof endBody>;

/** How each provider names money. Another name than the provider's own would not be known again when the provider tells of it. */
const REFERENCE_FORMS: Readonly<Record<OverrideProvider, { form: RegExp; message: string }>> = {
  stripe: { form: /^pi_[A-Za-z0-9_]{1,252}$/, message: 'must be the PaymentIntent, pi_…' },
  generic: { form: /^[\x21-\x7e]{1,255}$/, message: 'must be 1 to 255 visible ASCII characters' },
  tron: {
    form: /^[0-9a-f]{64}:T[1-9A-HJ-NP-Za-km-z]{33}$/,
    message: 'must be the hash of the transaction (64 hex digits, lower case), a colon and the deposit address',
  },
};

const forceBody = decisionBody.extend({
  status: z.literal('succeeded'),
  reason,
  evidence: freeText(1, 2000).meta({ description: "What shows that the money has arrived, for example the provider's page about it." }),
  provider: z.enum(OVERRIDE_PROVIDERS),
  reference: z.string().max(300).meta({
    description: "The provider's own name for the money, by which it is known when the provider tells of it: "
      + '`pi_…`, `<hash>:<deposit address>`, or the generic reference.',
  }),
}).superRefine(({ provider, reference }, context) => {
  const { form, message } = REFERENCE_FORMS[provider];
  if (!form.test(reference)) context.addIssue({ code: 'custom', path: ['reference'], message });
});
export type ForceSuccessBody = z.output<typeof forceBody>;

/** Ending a payment is one person's act; saying that it was paid takes two, who sign for it. */
export const changeStatusBody = z.discriminatedUnion('status', [endBody, forceBody], {
  error: (issue) => (issue.code === 'invalid_union' ? 'must be one of failed, canceled, expired, succeeded' : undefined),
});
export type ChangeStatusBody = z.output<typeof changeStatusBody>;
export const statusAnswer = z.union([adminPaymentObject, paymentOverrideObject]);
