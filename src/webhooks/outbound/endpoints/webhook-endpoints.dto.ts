import { z } from 'zod';
import { listQuery, pageOf } from '../../../platform/http/pagination';
import { idSchema, visibleText } from '../../../platform/http/validation';
import { EVENT_PATTERNS } from '../../../platform/outbox/event-types';
import { endpointObject, ENDPOINT_STATUSES } from './webhook-endpoint';

const DAY_SECONDS = 86_400;

const url = z.string().min(1).max(2048)
  .meta({ description: 'Where events are sent; https, and a public address.', examples: ['https://example.com/webhooks'] });
const description = visibleText(1, 500);
const pattern = z.string().refine(
  (text) => EVENT_PATTERNS.includes(text),
  'must be "*", an area such as "payment.*", or an event type such as "payment.succeeded"',
);
const events = z
  .array(pattern)
  .min(1)
  .max(50)
  .refine((patterns) => new Set(patterns).size === patterns.length, 'names an event twice')
  .meta({ description: 'Which events are sent.', examples: [['payment.*']] });

export const createEndpointBody = z.strictObject({ url, events, description: description.optional() });
export type CreateEndpointBody = z.output<typeof createEndpointBody>;

export const changeEndpointBody = z
  .strictObject({
    url: url.optional(),
    events: events.optional(),
    description: description.nullable().optional(),
    status: z.enum(ENDPOINT_STATUSES).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change');
export type ChangeEndpointBody = z.output<typeof changeEndpointBody>;

export const rotateSecretBody = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(7 * DAY_SECONDS).default(DAY_SECONDS)
      .meta({ description: 'How long the old secret signs beside the new one.' }),
  })
  .prefault({});
export type RotateSecretBody = z.output<typeof rotateSecretBody>;

export const endpointId = z.strictObject({ id: idSchema('we') });
export const listEndpointsQuery = listQuery('we', { status: z.enum(ENDPOINT_STATUSES).optional() });
export type ListEndpointsQuery = z.output<typeof listEndpointsQuery>;
export const endpointPage = pageOf(endpointObject);
