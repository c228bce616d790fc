import type { ChainArrival } from '../../chains/chain-arrivals';
import { USDT_CONTRACT } from '../../chains/tron/tron-address';

/** The provider under which money from the chain is counted. */
export const CHAIN_PROVIDER = 'tron';

/**
 * The name of money from the chain: the transaction and the address of ours that it went to. Several transfers of one transaction to one
 * address are one sum. Neither the block nor the place in its log is part of it: both can change until the transaction is final.
 */
export function chainReference({ hash, address }: Pick<ChainArrival, 'hash' | 'address'>): string {
  return `${hash}:${address}`;
}

/** Whether it is the token that payments are made in. Its contract alone tells: any token can call itself USDT. */
export function isUsdt({ contract }: Pick<ChainArrival, 'contract'>): boolean {
  return contract === USDT_CONTRACT;
}
