import { z } from 'zod';
import { LIST_KINDS, type ListKind } from './list-values';

export const LISTS = ['allow', 'block'] as const;
export type List = (typeof LISTS)[number];
export const ENTRY_STATES = ['active', 'expired', 'removed'] as const;
type EntryState = (typeof ENTRY_STATES)[number];

/** The source of what people enter; all others are names of feeds. */
export const BY_STAFF = 'staff';

/** An entry as it is stored, with the state that the query told. */
export interface ListEntryRow {
  id: string;
  list: List;
  kind: ListKind;
  value: string;
  client_id: string | null;
  source: string;
  reason: string;
  expires_at: Date | null;
  created_by: string | null;
  created_at: Date;
  removed_at: Date | null;
  removed_by: string | null;
  removed_because: string | null;
  state: EntryState;
}

/** The columns of an entry; what is in force is told by the database's clock, which risk_list_hits goes by too. */
export const ENTRY_COLUMNS = `
  id, list, kind, value, client_id, source, reason, expires_at, created_by, created_at, removed_at, removed_by, removed_because,
  case when removed_at is not null then 'removed' when expires_at <= now() then 'expired' else 'active' end as state`;

const time = z.iso.datetime();

export const listEntryObject = z.object({
  id: z.string(),
  object: z.literal('risk_list_entry'),
  list: z.enum(LISTS),
  kind: z.enum(LIST_KINDS),
  value: z.string(),
  client: z.string().nullable().meta({ description: 'The one client that it holds for; null for all.' }),
  source: z.string().meta({ description: '`staff`, or the name of the feed that it came with.' }),
  reason: z.string(),
  state: z.enum(ENTRY_STATES),
  expires_at: time.nullable(),
  created_by: z.string().nullable(),
  created_at: time,
  removed_at: time.nullable(),
  removed_by: z.string().nullable(),
  removed_because: z.string().nullable(),
}).meta({ id: 'RiskListEntry' });
export type ListEntryObject = z.output<typeof listEntryObject>;

/** Shows an entry. */
export function presentEntry({ client_id: client, ...row }: ListEntryRow): ListEntryObject {
  return {
    ...row,
    object: 'risk_list_entry',
    client,
    expires_at: row.expires_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    removed_at: row.removed_at?.toISOString() ?? null,
  };
}
