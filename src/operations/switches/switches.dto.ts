import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { visibleText } from '../../platform/http/validation';

/** What all clients share and a switch can pause as a whole; see check_running. */
export const AREAS = ['payments', 'withdrawals'] as const;

/** A switch as it is stored. An area that was never paused has none of the three last ones. */
export interface SwitchRow {
  id: string;
  paused: boolean;
  reason: string | null;
  changed_by: string | null;
  changed_at: Date | null;
}

const target = z
  .string()
  .regex(new RegExp(`^(${AREAS.join('|')}|cli_[0-9a-f]{32})$`), `must be ${AREAS.join(', ')}, or a client's identifier`)
  .meta({ description: 'All payments, all withdrawals, or everything of one client.', examples: ['withdrawals'] });

export const changeSwitchBody = z.strictObject({
  target,
  paused: z.boolean(),
  reason: visibleText(1, 500).meta({ description: 'Why. Merchants whose calls are refused are told it.' }),
});
export type ChangeSwitchBody = z.output<typeof changeSwitchBody>;

export const switchObject = z.object({
  id: target,
  object: z.literal('switch'),
  paused: z.boolean(),
  reason: z.string().nullable().meta({ description: 'Why it was last changed; null when it never was.' }),
  changed_by: z.string().nullable().meta({ description: 'The person who changed it last, or `circuit_breaker`.' }),
  changed_at: z.iso.datetime().nullable(),
}).meta({ id: 'Switch' });
export type SwitchObject = z.output<typeof switchObject>;

/** The identifier of a client's switch is the client's, and that of an area its name, so a cursor may be either. */
export const listSwitchesQuery = listQuery('cli', { starting_after: target.optional(), ending_before: target.optional() });
export type ListSwitchesQuery = z.output<typeof listSwitchesQuery>;
export const switchPage = pageOf(switchObject);

/** Shows a switch. */
export function presentSwitch({ id, paused, reason, changed_by, changed_at }: SwitchRow): SwitchObject {
  return { id, object: 'switch', paused, reason, changed_by, changed_at: changed_at?.toISOString() ?? null };
}
