import { z } from 'zod';
import type { Book } from '../../../platform/outbox/outbox';

export const ENDPOINT_STATUSES = ['enabled', 'disabled'] as const;

/** Why an endpoint gets nothing: its owner wanted so, it answered 410, or it failed for five days. */
export const DISABLED_REASONS = ['by_client', 'gone', 'failing'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** An endpoint as it is stored; the secrets are sealed. */
export interface EndpointRow {
  client_id: string;
  livemode: boolean;
  id: string;
  url: string;
  description: string | null;
  events: string[];
  secret: string;
  previous_secret: string | null;
  previous_secret_expires_at: Date | null;
  status: (typeof ENDPOINT_STATUSES)[number];
  disabled_reason: DisabledReason | null;
  failing_since: Date | null;
  created_at: Date;
  updated_at: Date;
}

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });

/** An endpoint as the API, the audit log and the events show it: never with a secret. */
export const endpointObject = z.object({
  id: z.string(),
  object: z.literal('webhook_endpoint'),
  livemode: z.boolean(),
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()),
  status: z.enum(ENDPOINT_STATUSES),
  disabled_reason: z.enum(DISABLED_REASONS).nullable(),
  failing_since: time.nullable().meta({ description: 'Since when every attempt has failed; after five days the endpoint is disabled.' }),
  rotation_ends_at: time.nullable().meta({ description: 'Until when the previous secret signs as well.' }),
  created_at: time,
  updated_at: time,
}).meta({ id: 'WebhookEndpoint' });
export type EndpointObject = z.output<typeof endpointObject>;

/** The only answers that hold the secret: to its creation and to its rotation. */
export const endpointWithSecret = endpointObject.extend({
  secret: z.string().meta({ description: 'Shown this once. Verify with it as Standard Webhooks says.', examples: ['whsec_…'] }),
}).meta({ id: 'WebhookEndpointWithSecret' });
export type EndpointWithSecret = z.output<typeof endpointWithSecret>;

/** The book that an endpoint belongs to. */
export function bookOf({ client_id: clientId, livemode }: EndpointRow): Book {
  return { clientId, livemode };
}

/** Shows an endpoint. */
export function presentEndpoint(row: EndpointRow): EndpointObject {
  return {
    id: row.id,
    object: 'webhook_endpoint',
    livemode: row.livemode,
    url: row.url,
    description: row.description,
    events: row.events,
    status: row.status,
    disabled_reason: row.disabled_reason,
    failing_since: row.failing_since?.toISOString() ?? null,
    rotation_ends_at: row.previous_secret_expires_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
