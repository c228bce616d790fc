import { z } from 'zod';
import type { ProviderEvent, ProviderEventKind } from '../../../platform/providers/provider-event';
import { checkStructure, identifierSchema, readBody } from './event-body';
import type { InboundSource, SignedDelivery, Verified } from './inbound-source';
import { checkClaim, headerOf, refused, type Claim } from './signature-rules';

type ActedOn = Exclude<ProviderEventKind, 'ignored'>;

/** The event types that the gateway acts on; Stripe sends many more. */
const KINDS: Readonly<Record<string, ActedOn>> = {
  'payment_intent.processing': 'payment.processing',
  'payment_intent.succeeded': 'payment.succeeded',
  'payment_intent.payment_failed': 'payment.failed',
};

const envelopeSchema = z.object({
  id: identifierSchema,
  object: z.literal('event'),
  type: identifierSchema,
  livemode: z.boolean(),
  created: z.int().min(0).max(99_999_999_999),
  data: z.object({ object: z.record(z.string(), z.unknown()) }),
});

/** `z.int()` takes only integers that a JSON number holds exactly (below 2^53). */
const amountSchema = z.int().min(0);

const paymentIntentSchema = z.object({
  id: identifierSchema,
  amount: amountSchema,
  amount_received: amountSchema.optional(),
  currency: z.string().regex(/^[a-z]{3,5}$/, 'must be a currency code in lower case'),
  // Other people's software may fill these too; what is not an id of ours is as good as absent.
  metadata: z.object({ payment_id: identifierSchema.optional() }).nullish().catch(undefined),
  last_payment_error: z.object({
    code: identifierSchema.nullish(),
    decline_code: identifierSchema.nullish(),
    payment_method: z.object({ card: z.object({ fingerprint: identifierSchema.nullish() }).nullish() }).nullish(),
  }).nullish().catch(undefined),
});

const succeededIntentSchema = paymentIntentSchema.required({ amount_received: true });

/** Stripe's events, https://docs.stripe.com/webhooks. Secrets are `whsec_…` and are used whole, not decoded. */
export const stripeSource: InboundSource = {
  name: 'stripe',
  keptFields: [['id'], ['data', 'object', 'id'], ['data', 'object', 'amount'], ['data', 'object', 'amount_received']],

  verify(delivery: SignedDelivery): Verified {
    const header = headerOf(delivery.headers, 'stripe-signature');
    if (header === undefined) {
      return refused('signature_missing');
    }
    const claim = readHeader(header);
    return claim === undefined ? refused('signature_malformed') : checkClaim(claim, delivery);
  },

  parse(rawBody: Buffer): ProviderEvent {
    const envelope = readBody(rawBody, envelopeSchema);
    const kind = Object.hasOwn(KINDS, envelope.type) ? KINDS[envelope.type] : undefined;
    const common = {
      source: 'stripe',
      eventId: envelope.id,
      type: envelope.type,
      livemode: envelope.livemode,
      occurredAt: new Date(envelope.created * 1000),
    };
    const object = envelope.data.object;
    if (kind === undefined) {
      return { ...common, kind: 'ignored', subject: ignoredSubject(object) };
    }
    return { ...common, kind, ...readIntent(object, kind) };
  },
};

/** `t=<unix s>,v1=<hex>[,v1=<hex>]`; one v1 for each active secret, and other schemes, which are ignored. */
function readHeader(header: string): Claim | undefined {
  // Only a header that was sent twice has spaces: Node.js has then joined the two.
  if (/\s/.test(header)) {
    return undefined;
  }
  const parts = header.split(',').map((part) => /^([^=]*)=(.*)$/.exec(part));
  const valuesOf = (key: string): string[] => parts.flatMap((part) => (part?.[1] === key ? [part[2] ?? ''] : []));
  const [timestamp, ...repeated] = valuesOf('t');
  return timestamp === undefined || repeated.length > 0 ? undefined : { timestamp, signatures: valuesOf('v1') };
}

function readIntent(object: unknown, kind: ActedOn): Pick<ProviderEvent, 'subject' | 'failureCode' | 'cardFingerprint'> {
  const schema = kind === 'payment.succeeded' ? succeededIntentSchema : paymentIntentSchema;
  const intent = checkStructure(object, schema, ['data', 'object']);
  const amount = kind === 'payment.succeeded' ? intent.amount_received : intent.amount;
  const error = kind === 'payment.failed' ? intent.last_payment_error : undefined;
  const failureCode = error?.decline_code ?? error?.code ?? undefined;
  const cardFingerprint = error?.payment_method?.card?.fingerprint ?? undefined;
  return {
    subject: {
      reference: intent.id,
      paymentId: intent.metadata?.payment_id,
      // Stripe counts USD, EUR and GBP in hundredths and JPY whole, as our own currency table does.
      amountMinor: amount === undefined ? undefined : BigInt(amount),
      expectedAmountMinor: BigInt(intent.amount),
      currency: intent.currency.toUpperCase(),
    },
    ...(failureCode === undefined ? {} : { failureCode }),
    ...(cardFingerprint === undefined ? {} : { cardFingerprint }),
  };
}

function ignoredSubject(object: Record<string, unknown>): ProviderEvent['subject'] {
  const reference = identifierSchema.safeParse(object.id).data;
  return { reference, paymentId: undefined, amountMinor: undefined, expectedAmountMinor: undefined, currency: undefined };
}
