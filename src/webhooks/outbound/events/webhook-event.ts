import { z } from 'zod';
import { listQuery, pageOf } from '../../../platform/http/pagination';
import { idSchema, visibleText } from '../../../platform/http/validation';
import { EVENT_TYPES, TEST_EVENT_TYPE } from '../../../platform/outbox/event-types';

/** An event as it is stored; `data` is the object as the API showed it then. */
export interface EventRow {
  id: string;
  livemode: boolean;
  type: string;
  created_at: Date;
  data: Record<string, unknown>;
}

/** An event as the API shows it. */
export const eventObject = z.object({
  id: z.string(),
  object: z.literal('event'),
  type: z.string().meta({ examples: ['payment.succeeded'] }),
  livemode: z.boolean(),
  created_at: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()).meta({ description: 'The object as it was at that moment.' }),
}).meta({ id: 'Event' });
export type EventObject = z.output<typeof eventObject>;

/** Shows an event. */
export function presentEvent(row: EventRow): EventObject {
  return { id: row.id, object: 'event', type: row.type, livemode: row.livemode, created_at: row.created_at.toISOString(), data: row.data };
}

export const eventId = z.strictObject({ id: idSchema('evt') });
export const listEventsQuery = listQuery('evt', {
  type: z.enum([...EVENT_TYPES, TEST_EVENT_TYPE]).optional(),
  object_id: visibleText(1, 64).optional(),
});
export type ListEventsQuery = z.output<typeof listEventsQuery>;
export const eventPage = pageOf(eventObject);

export const redeliverBody = z
  .strictObject({ endpoint: idSchema('we').optional().meta({ description: 'Default: every enabled endpoint that wants such events.' }) })
  .prefault({});
export type RedeliverBody = z.output<typeof redeliverBody>;
