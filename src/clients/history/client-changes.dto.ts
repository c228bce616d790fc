import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { idSchema } from '../../platform/http/validation';

/** A change as the audit log keeps it. */
export interface ChangeRow {
  id: string;
  kind: string;
  livemode: boolean | null;
  object_id: string;
  actor_type: string;
  actor_id: string | null;
  ip: string | null;
  request_id: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  occurred_at: Date;
}

const state = z.record(z.string(), z.unknown()).nullable();

export const clientChangeObject = z.object({
  id: idSchema('aud'),
  object: z.literal('client_change'),
  kind: z.string().meta({ examples: ['client.branding_changed'] }),
  livemode: z.boolean().nullable().meta({ description: 'null for what belongs to both modes.' }),
  object_id: z.string().meta({ description: 'What was changed: the client, a key or an endpoint.' }),
  actor: z.object({
    type: z.string().meta({ description: 'api_key, person, operator or system.' }),
    id: z.string().nullable(),
  }),
  ip: z.string().nullable(),
  request_id: z.string().nullable(),
  before: state.meta({ description: 'What it was, secrets masked; null for what is new.' }),
  after: state.meta({ description: 'What it became, secrets masked; null for what is gone.' }),
  created_at: z.iso.datetime(),
}).meta({ id: 'ClientChange' });
export type ClientChangeObject = z.output<typeof clientChangeObject>;

export const listChangesQuery = listQuery('aud', {});
export const clientChangePage = pageOf(clientChangeObject);

/** A change as staff see it. */
export function presentChange(row: ChangeRow): ClientChangeObject {
  return {
    id: row.id,
    object: 'client_change',
    kind: row.kind,
    livemode: row.livemode,
    object_id: row.object_id,
    actor: { type: row.actor_type, id: row.actor_id },
    ip: row.ip,
    request_id: row.request_id,
    before: row.before,
    after: row.after,
    created_at: row.occurred_at.toISOString(),
  };
}

/** What the gateway's operator does to a client. Who of them did it, from where and for which reason is not for the client. */
const BY_OPERATOR: ReadonlySet<string> = new Set(['client.created', 'client.updated', 'client.live_enabled', 'client.operator_settings_changed']);

/** A change as the client sees it that it was made to. */
export function presentOwnChange(row: ChangeRow): ClientChangeObject {
  const change = presentChange(row);
  if (!BY_OPERATOR.has(row.kind)) return change;
  const { reason: _reason, ...after } = change.after ?? {};
  return { ...change, actor: { type: change.actor.type, id: null }, ip: null, request_id: null, after };
}
