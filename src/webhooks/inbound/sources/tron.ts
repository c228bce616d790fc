import { z } from 'zod';
import type { ProviderEvent } from '../../../platform/providers/provider-event';
import { identifierSchema, readBody } from './event-body';
import { genericSource } from './generic';
import type { InboundSource } from './inbound-source';

/** Whatever else an event tells is not read: it is no proof of anything. */
const eventSchema = z.object({
  id: identifierSchema,
  type: identifierSchema,
  created_at: z.iso.datetime({ offset: true }),
  data: z.object({ payment_id: identifierSchema.optional(), address: identifierSchema.optional() }),
});

/** Notices about the TRON chain, signed in the generic scheme. An event names a payment or a deposit address at which to look. */
export const tronSource: InboundSource = { ...genericSource('tron'), keptFields: [['id'], ['data', 'address']], parse };

function parse(rawBody: Buffer): ProviderEvent {
  const { id, type, created_at: createdAt, data } = readBody(rawBody, eventSchema);
  return {
    source: 'tron',
    eventId: id,
    type,
    kind: 'ignored',
    livemode: undefined,
    occurredAt: new Date(createdAt),
    subject: {
      reference: data.address, paymentId: data.payment_id, amountMinor: undefined, expectedAmountMinor: undefined, currency: undefined,
    },
  };
}
