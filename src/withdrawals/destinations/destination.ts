import { z } from 'zod';

export const DESTINATION_TYPES = ['tron_address', 'bank_account'] as const;
export type DestinationType = (typeof DESTINATION_TYPES)[number];

/** A destination as it is stored. */
export interface DestinationRow {
  client_id: string;
  livemode: boolean;
  id: string;
  type: DestinationType;
  address: string | null;
  /** Without spaces, in capitals. */
  iban: string | null;
  holder: string | null;
  /** The address, or IBAN and holder, as people are shown it and sign it. */
  whole: string;
  created_by: string;
  created_at: Date;
  /** When the cool-off ends. */
  active_at: Date;
  deleted_at: Date | null;
}

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });

/** A destination as the API, the events and the audit log show it. */
export const destinationObject = z.object({
  id: z.string(),
  object: z.literal('destination'),
  livemode: z.boolean(),
  type: z.enum(DESTINATION_TYPES),
  address: z.string().nullable(),
  iban: z.string().nullable().meta({ description: 'Whole, without spaces.' }),
  holder: z.string().nullable(),
  active_at: time.meta({ description: 'From when on withdrawals may go there.' }),
  created_at: time,
}).meta({ id: 'Destination' });
export type DestinationObject = z.output<typeof destinationObject>;

/** Shows a destination, whole: what people compare must not be shortened. */
export function presentDestination(row: DestinationRow): DestinationObject {
  return {
    id: row.id,
    object: 'destination',
    livemode: row.livemode,
    type: row.type,
    address: row.address,
    iban: row.iban,
    holder: row.holder,
    active_at: row.active_at.toISOString(),
    created_at: row.created_at.toISOString(),
  };
}
