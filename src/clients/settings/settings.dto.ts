import { z } from 'zod';
import { idSchema, visibleText } from '../../platform/http/validation';
import type { Client } from '../client.entity';
import type { SettingsBySection } from './client-settings-sections';

/** The fields of one section. */
export const settingsSection = z.record(z.string(), z.unknown(), 'must be an object of settings');

/** Which sections and fields there are, and whose they are to set, is known to the features that own them; see ClientSettingsSections. */
export const changeSettingsBody = z.record(z.string(), settingsSection)
  .meta({
    description: 'Sections with the fields to change; what is not named stays as it is. The answer shows every section and field.',
    examples: [{ payment_rules: { tolerance: '0.05', underpaid: 'credit', overpaid: 'refund', late: 'credit_locked' } }],
  });

export const clientSettingsObject = z.object({ object: z.literal('client_settings') }).catchall(settingsSection)
  .meta({
    examples: [{
      object: 'client_settings', payment_rules: { tolerance: null, underpaid: 'wait', overpaid: 'credit', late: 'queue' },
      withdrawals: { destination_cooloff_seconds: 86_400 },
    }],
  });
export type ClientSettingsObject = z.output<typeof clientSettingsObject>;

/** Settings as the API shows them. */
export function presentSettings(settings: SettingsBySection): ClientSettingsObject {
  return { object: 'client_settings', ...settings } as ClientSettingsObject;
}

export const renameClientBody = z.strictObject({ name: visibleText(1, 200) });
export type RenameClientBody = z.output<typeof renameClientBody>;

export const clientObject = z.object({
  id: idSchema('cli'),
  object: z.literal('client'),
  name: z.string(),
  status: z.enum(['active', 'suspended', 'closed']),
  livemode: z.boolean().meta({ description: 'The mode of the key that asks, or the one that a person asks for.' }),
  live_enabled: z.boolean().meta({ description: 'Whether the operator has opened live mode for this client.' }),
  fee_bps: z.int().meta({ description: 'The fee in basis points: 250 is 2.5 %.' }),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type ClientObject = z.output<typeof clientObject>;

/** A client as it sees itself. */
export function presentClient(client: Client, livemode: boolean): ClientObject {
  return {
    id: client.id,
    object: 'client',
    name: client.name,
    status: client.status,
    livemode,
    live_enabled: client.liveEnabled,
    fee_bps: client.feeBps,
    created_at: client.createdAt.toISOString(),
    updated_at: client.updatedAt.toISOString(),
  };
}
