import { z } from 'zod';
import { riskObject } from '../fraud/risk';
import { CURRENCY_CODES } from '../money/currency';
import { formatAmount } from '../money/money';
import type { Withdrawal } from './withdrawal';
import { WITHDRAWAL_STATUSES } from './withdrawal-state';

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });

const shown = {
  id: z.string(),
  object: z.literal('withdrawal'),
  livemode: z.boolean(),
  status: z.enum(WITHDRAWAL_STATUSES),
  amount: z.string().meta({ description: 'Decimal string with all decimals of its currency.', examples: ['25.00'] }),
  currency: z.enum(CURRENCY_CODES),
  approvals_required: z.int(),
  approvals: z.int(),
  risk: riskObject,
  transaction_hash: z.string().nullable().meta({ description: 'The chain transaction that paid it.' }),
  failure: z.string().nullable().meta({ description: 'Why it was rejected or failed.' }),
  revision: z.int().meta({ description: 'Grows with every change.' }),
  created_at: time,
  updated_at: time,
};

/** A withdrawal as its client, its events and the stored answers show it. */
export const withdrawalObject = z.object({
  ...shown,
  destination: z.string().meta({ description: 'The id of the destination.' }),
  destination_address: z.string().meta({ description: 'The whole destination: an address, or an IBAN and its holder.' }),
}).meta({ id: 'Withdrawal' });
export type WithdrawalObject = z.output<typeof withdrawalObject>;

/** A withdrawal as staff see it who decide on it: the destination is the text that they sign. */
export const adminWithdrawalObject = z.object({
  ...shown,
  client: z.string(),
  destination: z.string().meta({ description: 'The whole destination, as it is signed.' }),
  destination_id: z.string(),
  requested_by: z.string().meta({ description: 'The key or the person who asked for it; that person never decides.' }),
  completions: z.int().meta({ description: 'How many people have said that the bank payout was made; two complete it.' }),
  settled_by: z.enum(['chain', 'simulator', 'people']).nullable(),
  age_seconds: z.int(),
}).meta({ id: 'AdminWithdrawal' });
export type AdminWithdrawalObject = z.output<typeof adminWithdrawalObject>;

/** Shows a withdrawal to its client. */
export function presentWithdrawal(withdrawal: Withdrawal): WithdrawalObject {
  return { ...presentShared(withdrawal), destination: withdrawal.destinationId, destination_address: withdrawal.destination };
}

/** Shows a withdrawal to staff. */
export function presentWithdrawalToStaff(withdrawal: Withdrawal, now = new Date()): AdminWithdrawalObject {
  return {
    ...presentShared(withdrawal),
    client: withdrawal.clientId,
    destination: withdrawal.destination,
    destination_id: withdrawal.destinationId,
    requested_by: withdrawal.requestedBy,
    completions: withdrawal.completions,
    settled_by: withdrawal.settledBy,
    age_seconds: Math.max(0, Math.floor((now.getTime() - withdrawal.createdAt.getTime()) / 1000)),
  };
}

function presentShared(withdrawal: Withdrawal) {
  return {
    id: withdrawal.id,
    object: 'withdrawal' as const,
    livemode: withdrawal.livemode,
    status: withdrawal.status,
    amount: formatAmount(withdrawal.amountMinor, withdrawal.currency),
    currency: withdrawal.currency,
    approvals_required: withdrawal.approvalsRequired,
    approvals: withdrawal.approvals,
    risk: withdrawal.risk,
    transaction_hash: withdrawal.transactionHash,
    failure: withdrawal.failure,
    revision: Number(withdrawal.revision),
    created_at: withdrawal.createdAt.toISOString(),
    updated_at: withdrawal.updatedAt.toISOString(),
  };
}
