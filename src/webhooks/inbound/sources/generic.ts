import { z } from 'zod';
import { CURRENCY_CODES } from '../../../money/currency';
import { AmountError, parseAmount } from '../../../money/money';
import type { ProviderEvent } from '../../../platform/providers/provider-event';
import { identifierSchema, readBody, unexpectedField } from './event-body';
import type { InboundSource, SignedDelivery, Verified } from './inbound-source';
import { checkClaim, headerOf, refused } from './signature-rules';

const TYPES = ['payment.processing', 'payment.succeeded', 'payment.failed'] as const;

const dataShape = {
  payment_id: identifierSchema,
  amount: z.string(),
  currency: z.enum(CURRENCY_CODES),
  reference: identifierSchema.optional(),
};

const eventSchema = z.strictObject({
  id: identifierSchema,
  type: z.enum(TYPES),
  created_at: z.iso.datetime({ offset: true }),
  data: z.strictObject(dataShape),
}).refine((event) => event.type !== 'payment.succeeded' || event.data.reference !== undefined, {
  path: ['data', 'reference'],
  message: 'is required when a payment has succeeded',
});

/**
 * The gateway's own scheme, for providers that have none that we know: `X-Webhook-Timestamp` (unix seconds) and
 * `X-Webhook-Signature`, the hex HMAC-SHA256 over `timestamp.rawBody`. `name` is the path that the events are sent to.
 */
export function genericSource(name: string): InboundSource {
  return { name, verify, keptFields: [['id'], ['data', 'reference'], ['data', 'amount']], parse: (rawBody) => parse(rawBody, name) };
}

function verify(delivery: SignedDelivery): Verified {
  const timestamp = headerOf(delivery.headers, 'x-webhook-timestamp');
  const signature = headerOf(delivery.headers, 'x-webhook-signature');
  if (timestamp === undefined || signature === undefined) {
    return refused('signature_missing');
  }
  return checkClaim({ timestamp, signatures: [signature] }, delivery);
}

function parse(rawBody: Buffer, source: string): ProviderEvent {
  const { id, type, created_at: createdAt, data } = readBody(rawBody, eventSchema);
  return {
    source,
    eventId: id,
    type,
    kind: type,
    livemode: undefined,
    occurredAt: new Date(createdAt),
    subject: {
      reference: data.reference,
      paymentId: data.payment_id,
      amountMinor: amountOf(data),
      expectedAmountMinor: undefined,
      currency: data.currency,
    },
  };
}

function amountOf({ amount, currency }: { amount: string; currency: (typeof CURRENCY_CODES)[number] }): bigint {
  try {
    return parseAmount(amount, currency);
  } catch (error) {
    throw error instanceof AmountError ? unexpectedField('data.amount', error.message) : error;
  }
}
