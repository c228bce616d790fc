import { z } from 'zod';
import type { ChainArrival } from '../../chains/chain-arrivals';
import { FINAL_CONFIRMATIONS } from '../../chains/tron/tron-source';
import { USDT_CONTRACT } from '../../chains/tron/tron-address';
import { formatAmount } from '../../money/money';

const MISSING = [
  'not_found', 'chain_unreachable', 'sources_disagree', 'reverted', 'wrong_token', 'wrong_address', 'nothing_arrived',
  'confirmations', 'amount', 'kept_aside',
] as const;

/** One thing that is missing before money counts. */
export interface Missing {
  code: (typeof MISSING)[number];
  message: string;
}

/** The answer to the question whether a transaction pays a payment. */
export const chainVerification = z.object({
  object: z.literal('chain_verification'),
  payment: z.string(),
  hash: z.string().nullable(),
  verified: z.boolean().meta({ description: 'The payment is paid, with this money. Otherwise missing says what is not as it must be.' }),
  confirmations: z.int().nullable(),
  required_confirmations: z.literal(FINAL_CONFIRMATIONS),
  from: z.string().nullable(),
  to: z.string().meta({ description: 'The deposit address of the payment.' }),
  amount: z.string().nullable().meta({ description: 'All that the transaction transfers to the address.', examples: ['25.000000'] }),
  currency: z.literal('USDT'),
  block_time: z.iso.datetime().nullable(),
  missing: z.array(z.object({ code: z.enum(MISSING), message: z.string().meta({ examples: ['12 of 19 confirmations.'] }) })),
}).meta({ id: 'ChainVerification' });
export type ChainVerification = z.output<typeof chainVerification>;

/** Shows what was found out. `arrival` is what the transaction brings to the address in USDT, where it does. */
export function presentVerification(
  payment: string, to: string, hash: string | null, arrival: ChainArrival | undefined, missing: readonly Missing[],
): ChainVerification {
  return {
    object: 'chain_verification',
    payment,
    hash,
    verified: missing.length === 0,
    confirmations: arrival?.confirmations ?? null,
    required_confirmations: FINAL_CONFIRMATIONS,
    from: arrival?.from ?? null,
    to,
    amount: arrival ? formatAmount(arrival.amountMinor, 'USDT') : null,
    currency: 'USDT',
    block_time: arrival?.blockTime.toISOString() ?? null,
    missing: [...missing],
  };
}

/** Every sentence that a caller can be told, with its figures. */
export const MISSING_BECAUSE = {
  unknown: (): Missing => ({
    code: 'not_found', message: 'The chain does not show this transaction (yet). A new one appears within a minute.',
  }),
  unreachable: (): Missing => ({
    code: 'chain_unreachable', message: 'Too few sources of the chain answer at the moment. Try again; nothing is lost.',
  }),
  disagreement: (): Missing => ({
    code: 'sources_disagree',
    message: 'The sources of the chain contradict each other about this transaction. Nothing counts until they agree; staff are told.',
  }),
  reverted: (failure: string): Missing => ({
    code: 'reverted', message: `The transaction failed on the chain (${failure}): it transferred nothing.`,
  }),
  otherToken: ({ contract, address }: ChainArrival): Missing => ({
    code: 'wrong_token', message: `To ${address} it transfers the token ${contract}, which is not USDT (${USDT_CONTRACT}).`,
  }),
  otherAddress: (address: string): Missing => ({ code: 'wrong_address', message: `The transaction transfers nothing to ${address}.` }),
  nothing: (address: string): Missing => ({ code: 'nothing_arrived', message: `Nothing has arrived at ${address}.` }),
  young: ({ confirmations }: ChainArrival): Missing => ({
    code: 'confirmations', message: `${confirmations} of ${FINAL_CONFIRMATIONS} confirmations.`,
  }),
  short: (dueMinor: bigint, shortMinor: bigint): Missing => ({
    code: 'amount', message: `${formatAmount(shortMinor, 'USDT')} of ${formatAmount(dueMinor, 'USDT')} USDT are still missing.`,
  }),
  keptAside: (reason: string): Missing => ({
    code: 'kept_aside',
    message: `The money has arrived and is kept for the operator to decide on, because of: ${reason.replaceAll('_', ' ')}.`,
  }),
} as const;
