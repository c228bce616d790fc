import { z } from 'zod';
import { idSchema, visibleText } from '../../platform/http/validation';
import { changeSettingsBody, settingsSection } from '../settings/settings.dto';

const change = changeSettingsBody.meta({
  description: 'Sections that are the operator\'s to set, with the fields to change; what is not named stays as it is.',
  examples: [{ withdrawals: { destination_cooloff_seconds: 172_800 } }],
});

export const changeClientSettingsBody = z.strictObject({
  live: change.optional(),
  test: change.optional(),
  reason: visibleText(1, 500).optional().meta({ description: 'Why, for the change history of staff.' }),
});
export type ChangeClientSettingsBody = z.output<typeof changeClientSettingsBody>;

const book = z.record(z.string(), settingsSection);

export const adminClientSettingsObject = z.object({
  id: idSchema('cli'),
  object: z.literal('client_settings'),
  live: book.meta({ description: 'Every section of the live book, the client\'s own ones too.' }),
  test: book,
});
export type AdminClientSettingsObject = z.output<typeof adminClientSettingsObject>;
