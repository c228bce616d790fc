import { groupedBy } from '../collections';
import { USDT_CONTRACT } from './tron-address';
import { type ChainTransaction, FINAL_CONFIRMATIONS, type TokenTransfer, type TronSource } from './tron-source';

/** What one source answered to a question that all were asked. */
export interface Told<T> {
  source: TronSource;
  value: T;
}
/** A transaction as one source knows it. */
export type Known = Told<ChainTransaction>;

/**
 * What two sources that know a transaction cannot both be right about. Blocks may differ for as long as one of them can still change.
 * Of the transfers those of USDT alone are compared: anybody can have a contract write other tokens' logs that services list differently.
 */
export function contradictionAmong(known: readonly Known[]): { source: string; reason: string } | undefined {
  const [first, ...others] = known.toSorted((a, b) => b.value.confirmations - a.value.confirmations);
  for (const other of others) {
    const source = `${first!.source.name}, ${other.source.name}`;
    const [a, b] = [first!.value, other.value];
    if (a.succeeded !== b.succeeded) return { source, reason: `${source} tell different results` };
    if (usdtIn(a) !== usdtIn(b)) return { source, reason: `${source} tell different transfers` };
    const sameBlock = a.blockNumber === b.blockNumber && a.blockTime.getTime() === b.blockTime.getTime();
    if (isFinal(a) && isFinal(b) && !sameBlock) return { source, reason: `${source} call it final in different blocks` };
  }
  return undefined;
}

/** The transfers that so many sources list, equal ones as often as so many list them. */
export function transfersToldBy(quorum: number, known: readonly Known[]): TokenTransfer[] {
  const lists = known.map(({ value }) => groupedBy(value.transfers, keyOf));
  const samples = new Map(lists.flatMap((list) => [...list].map(([key, [transfer]]) => [key, transfer!] as const)));
  return [...samples].flatMap(([key, transfer]) => {
    const copies = quorumth(quorum, lists.map((list) => list.get(key)?.length ?? 0));
    return Array.from({ length: copies }, () => transfer);
  });
}

/** The most that so many have reached: of those who are furthest ahead, the one that is least far. */
export function quorumth(quorum: number, values: readonly number[]): number {
  return values.toSorted((a, b) => b - a)[quorum - 1]!;
}

export function isFinal({ confirmations }: ChainTransaction): boolean {
  return confirmations >= FINAL_CONFIRMATIONS;
}

/** The transfer with everything that tells it from another one. */
export function keyOf({ contract, from, to, amountMinor }: TokenTransfer): string {
  return [contract, from, to, amountMinor].join(' ');
}

/** In an order of their own, equal ones as often as they occur. */
function usdtIn({ transfers }: ChainTransaction): string {
  return transfers.filter(({ contract }) => contract === USDT_CONTRACT).map(keyOf).sort().join('\n');
}
