import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { idSchema, visibleText } from '../../platform/http/validation';
import type { Client } from '../client.entity';

export const CLIENT_STATUSES = ['active', 'suspended', 'closed'] as const;

const time = z.iso.datetime();
const feeBps = z.int().min(0).max(10_000).meta({ description: 'The fee in basis points: 250 is 2.5 %.' });
const rateMultiplier = z.int().min(1).max(10_000).meta({ description: 'The tier: multiplies the limit of each of the client\'s keys.' });
const liveEnabled = z.boolean().meta({ description: 'Whether its live book is open.' });

export const createClientBody = z.strictObject({
  name: visibleText(1, 200),
  live_enabled: liveEnabled.default(false),
  fee_bps: feeBps.default(0),
  rate_multiplier: rateMultiplier.default(1),
});
export type CreateClientBody = z.output<typeof createClientBody>;

export const changeClientBody = z
  .strictObject({
    name: visibleText(1, 200).optional(),
    fee_bps: feeBps.optional(),
    rate_multiplier: rateMultiplier.optional(),
    live_enabled: liveEnabled.optional(),
    status: z.enum(CLIENT_STATUSES).optional()
      .meta({ description: 'Suspended: no key and nobody of the client gets in until it is active again. Closed: for good.' }),
    reason: visibleText(1, 500).optional().meta({ description: 'Why, for the change history of staff. Required with a status.' }),
  })
  .refine(({ status, reason }) => status === undefined || reason !== undefined, { path: ['reason'], message: 'is required with a status' });
export type ChangeClientBody = z.output<typeof changeClientBody>;

export const adminClientObject = z.object({
  id: idSchema('cli'),
  object: z.literal('client'),
  name: z.string(),
  status: z.enum(CLIENT_STATUSES),
  live_enabled: liveEnabled,
  fee_bps: feeBps,
  rate_multiplier: rateMultiplier,
  created_at: time,
  updated_at: time,
});
export type AdminClientObject = z.output<typeof adminClientObject>;

export const clientId = z.strictObject({ id: idSchema('cli') });
export const listClientsQuery = listQuery('cli', { status: z.enum(CLIENT_STATUSES).optional() });
export type ListClientsQuery = z.output<typeof listClientsQuery>;
export const adminClientPage = pageOf(adminClientObject);

/** A client as staff see it. */
export function presentClientToStaff(client: Omit<Client, 'testSettings' | 'liveSettings' | 'revision'>): AdminClientObject {
  return {
    id: client.id,
    object: 'client',
    name: client.name,
    status: client.status,
    live_enabled: client.liveEnabled,
    fee_bps: client.feeBps,
    rate_multiplier: client.rateMultiplier,
    created_at: client.createdAt.toISOString(),
    updated_at: client.updatedAt.toISOString(),
  };
}
