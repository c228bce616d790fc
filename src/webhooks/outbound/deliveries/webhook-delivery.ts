import { z } from 'zod';
import { listQuery, pageOf } from '../../../platform/http/pagination';
import { idSchema } from '../../../platform/http/validation';

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'canceled'] as const;

/** One event on its way to one endpoint, as it is stored. */
export interface DeliveryRow {
  id: string;
  livemode: boolean;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: (typeof DELIVERY_STATUSES)[number];
  attempts: number;
  next_attempt_at: Date | null;
  last_response_status: number | null;
  last_error: string | null;
  delivered_at: Date | null;
  created_at: Date;
}

/** One request that was sent, as it is stored. Without a duration it is under way, or its process died. */
export interface AttemptRow {
  attempt: number;
  started_at: Date;
  duration_ms: number | null;
  response_status: number | null;
  error: string | null;
  response_excerpt: string | null;
}

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });

/** A delivery as the API shows it. */
export const deliveryObject = z.object({
  id: z.string(),
  object: z.literal('webhook_delivery'),
  livemode: z.boolean(),
  endpoint: z.string(),
  event: z.string(),
  event_type: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  attempt_count: z.int(),
  next_attempt_at: time.nullable(),
  last_response_status: z.int().nullable(),
  last_error: z.string().nullable(),
  delivered_at: time.nullable(),
  created_at: time,
}).meta({ id: 'WebhookDelivery' });
export type DeliveryObject = z.output<typeof deliveryObject>;

const attemptObject = z.object({
  attempt: z.int(),
  started_at: time,
  duration_ms: z.int().nullable().meta({ description: 'Null while it is under way, and when the sending process died.' }),
  response_status: z.int().nullable(),
  error: z.string().nullable(),
  response_excerpt: z.string().nullable().meta({ description: 'The first 4 KiB of the answer.' }),
});

/** A delivery with everything that was tried. */
export const deliveryWithAttempts = deliveryObject.extend({ attempts: z.array(attemptObject) }).meta({ id: 'WebhookDeliveryWithAttempts' });
export type DeliveryWithAttempts = z.output<typeof deliveryWithAttempts>;

export const deliveryId = z.strictObject({ id: idSchema('del') });
export const listDeliveriesQuery = listQuery('del', {
  endpoint: idSchema('we').optional(),
  event: idSchema('evt').optional(),
  status: z.enum(DELIVERY_STATUSES).optional(),
});
export type ListDeliveriesQuery = z.output<typeof listDeliveriesQuery>;
export const deliveryPage = pageOf(deliveryObject);

/** Shows a delivery. */
export function presentDelivery(row: DeliveryRow): DeliveryObject {
  return {
    id: row.id,
    object: 'webhook_delivery',
    livemode: row.livemode,
    endpoint: row.endpoint_id,
    event: row.event_id,
    event_type: row.event_type,
    status: row.status,
    attempt_count: row.attempts,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    last_response_status: row.last_response_status,
    last_error: row.last_error,
    delivered_at: row.delivered_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

/** Shows a delivery with its attempts. */
export function presentWithAttempts(row: DeliveryRow, attempts: readonly AttemptRow[]): DeliveryWithAttempts {
  return {
    ...presentDelivery(row),
    attempts: attempts.map(({ attempt, started_at, duration_ms, response_status, error, response_excerpt }) => (
      { attempt, started_at: started_at.toISOString(), duration_ms, response_status, error, response_excerpt }
    )),
  };
}
