import { z } from 'zod';
import type { Query } from '../../auth/decisions/signed-decisions';
import { CURRENCY_CODES, type CurrencyCode } from '../../money/currency';
import { formatAmount } from '../../money/money';
import type { Payment } from '../payment';

/** Where money can have come from that people vouch for. */
export const OVERRIDE_PROVIDERS = ['stripe', 'generic', 'tron'] as const;
export type OverrideProvider = (typeof OVERRIDE_PROVIDERS)[number];

/** `waiting_for_second_person` until somebody else signs the same; `void` once the payment has changed since. */
const STATES = ['waiting_for_second_person', 'decided', 'void'] as const;

/** What somebody said and signed about a payment that no provider told of. */
export interface PaymentOverride {
  clientId: string;
  livemode: boolean;
  paymentId: string;
  requestedBy: string;
  revision: bigint;
  amountMinor: bigint;
  currency: CurrencyCode;
  destination: string;
  provider: OverrideProvider;
  reference: string;
  reason: string;
  evidence: string;
  signedAt: Date;
  createdAt: Date;
  /** The second person, once there is one. */
  decidedBy: string | null;
}

export interface PaymentOverrideRow {
  client_id: string;
  livemode: boolean;
  payment_id: string;
  requested_by: string;
  revision: string;
  amount_minor: string;
  currency: CurrencyCode;
  destination: string;
  provider: OverrideProvider;
  reference: string;
  reason: string;
  evidence: string;
  signed_at: Date;
  created_at: Date;
  decided_by: string | null;
}

export const paymentOverrideObject = z.object({
  object: z.literal('payment_override'),
  payment: z.string(),
  client: z.string(),
  livemode: z.boolean(),
  state: z.enum(STATES),
  requested_by: z.string().meta({ description: 'Who said it first; somebody else has to sign the same.' }),
  decided_by: z.string().nullable(),
  revision: z.int().meta({ description: 'The revision of the payment that it is about.' }),
  amount: z.string().meta({ description: 'What was still due.' }),
  currency: z.enum(CURRENCY_CODES),
  destination: z.string(),
  provider: z.enum(OVERRIDE_PROVIDERS),
  reference: z.string().meta({ description: "The provider's own name for the money." }),
  reason: z.string(),
  evidence: z.string(),
  signed_at: z.iso.datetime(),
  created_at: z.iso.datetime(),
}).meta({ id: 'PaymentOverride' });
export type PaymentOverrideObject = z.output<typeof paymentOverrideObject>;

const FIND = `
  select o.*, d.person_id as decided_by
    from payment_overrides o
    left join decisions d
      on d.client_id = o.client_id and d.livemode = o.livemode and d.subject_id = o.payment_id and d.decision = 'succeed'
   where o.client_id = $1 and o.livemode = $2 and o.payment_id = $3`;

/** What was last proposed for a payment, be it void by now; undefined when nothing ever was. */
export async function findOverride(query: Query, { clientId, livemode, id }: Payment): Promise<PaymentOverride | undefined> {
  const [row] = await query<PaymentOverrideRow>(FIND, [clientId, livemode, id]);
  return row && overrideFromRow(row);
}

/** Reads a row into the domain's types. */
export function overrideFromRow(row: PaymentOverrideRow): PaymentOverride {
  return {
    clientId: row.client_id,
    livemode: row.livemode,
    paymentId: row.payment_id,
    requestedBy: row.requested_by,
    revision: BigInt(row.revision),
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    destination: row.destination,
    provider: row.provider,
    reference: row.reference,
    reason: row.reason,
    evidence: row.evidence,
    signedAt: row.signed_at,
    createdAt: row.created_at,
    decidedBy: row.decided_by,
  };
}

/** Shows what was proposed for a payment as it is now. */
export function presentOverride(override: PaymentOverride, payment: Payment): PaymentOverrideObject {
  return {
    object: 'payment_override',
    payment: override.paymentId,
    client: override.clientId,
    livemode: override.livemode,
    state: override.decidedBy ? 'decided' : override.revision === payment.revision ? 'waiting_for_second_person' : 'void',
    requested_by: override.requestedBy,
    decided_by: override.decidedBy,
    revision: Number(override.revision),
    amount: formatAmount(override.amountMinor, override.currency),
    currency: override.currency,
    destination: override.destination,
    provider: override.provider,
    reference: override.reference,
    reason: override.reason,
    evidence: override.evidence,
    signed_at: override.signedAt.toISOString(),
    created_at: override.createdAt.toISOString(),
  };
}
