import { z } from 'zod';
import { isCurrency } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { idSchema } from '../../platform/http/validation';
import { UNMATCHED_REASONS, UNMATCHED_STATUSES, type UnmatchedDeposit } from './unmatched-deposit';

/** An unmatched deposit as staff see it. */
export const unmatchedObject = z.object({
  id: idSchema('dep'),
  object: z.literal('unmatched_deposit'),
  status: z.enum(UNMATCHED_STATUSES),
  provider: z.string().meta({ description: 'Who told of it; cpgateway for a part of an expired payment.' }),
  reference: z.string(),
  client: z.string().nullable(),
  livemode: z.boolean().nullable().meta({ description: 'Null when the provider did not say.' }),
  payment: z.string().nullable().meta({ description: 'The payment that it was told for, or the one that it was assigned to.' }),
  amount: z.string().meta({ description: 'With all decimals; whole smallest units for a currency that is none of ours.' }),
  currency: z.string(),
  reason: z.enum(UNMATCHED_REASONS),
  wish: z.enum(['review', 'refund']).meta({ description: "What the merchant's rules want done with it." }),
  booked: z.boolean().meta({ description: 'Whether it stands in the ledger of its client.' }),
  details: z.record(z.string(), z.unknown()),
  received_at: z.iso.datetime(),
  resolved_by: z.string().nullable(),
  resolved_at: z.iso.datetime().nullable(),
  resolution: z.string().nullable().meta({ description: 'Why it was assigned or given back.' }),
  revision: z.int(),
}).meta({ id: 'UnmatchedDeposit' });
export type UnmatchedObject = z.output<typeof unmatchedObject>;

/** Shows an unmatched deposit to staff. */
export function presentUnmatched(deposit: UnmatchedDeposit): UnmatchedObject {
  const { amountMinor, currency } = deposit;
  return {
    id: deposit.id,
    object: 'unmatched_deposit',
    status: deposit.status,
    provider: deposit.provider,
    reference: deposit.reference,
    client: deposit.clientId,
    livemode: deposit.livemode,
    payment: deposit.paymentId,
    amount: isCurrency(currency) ? formatAmount(amountMinor, currency) : amountMinor.toString(),
    currency,
    reason: deposit.reason,
    wish: deposit.wish,
    booked: deposit.booked,
    details: deposit.details,
    received_at: deposit.receivedAt.toISOString(),
    resolved_by: deposit.resolvedBy,
    resolved_at: deposit.resolvedAt?.toISOString() ?? null,
    resolution: deposit.resolution,
    revision: Number(deposit.revision),
  };
}
