/**
 * So many blocks, its own included, make a chain transaction final: 19 of the 27 producers have then built on it
 * (tronprotocol/documentation-en, dpos.md).
 */
export const FINAL_CONFIRMATIONS = 19;

/** A chain transaction's hash as it is kept and compared: lower case. */
export const TRANSACTION_HASH = /^[0-9a-f]{64}$/;

/** A movement of a TRC-20 token, as a source tells it. Addresses are base58check. */
export interface TokenTransfer {
  /** The token's contract; a symbol proves nothing. */
  contract: string;
  from: string;
  to: string;
  /** In the token's own smallest unit. */
  amountMinor: bigint;
}

/** One chain transaction with the token transfers in it; those of nothing at all are left out. */
export interface ChainTransaction {
  /** 64 hex digits, lower case. */
  hash: string;
  blockNumber: number;
  blockTime: Date;
  /** Blocks on top of its own, its own included. */
  confirmations: number;
  /** The contract's call came to a good end and was not reverted. */
  succeeded: boolean;
  /** What the source calls the end of a call that failed, for example `OUT_OF_ENERGY`. */
  failure?: string;
  transfers: TokenTransfer[];
}

/** A transfer in a list: enough to know which transaction to look at, not enough to believe it. */
export interface ListedTransfer extends TokenTransfer {
  hash: string;
  blockTime: Date;
  /** The token's own word for itself. */
  symbol: string;
}

/** The newest block of a chain. */
export interface ChainHead {
  number: number;
  at: Date;
}

/**
 * One place where the TRON chain can be read. Every method throws a SourceError when the source does not answer, throttles,
 * or answers what cannot be read; it never guesses.
 */
export interface TronSource {
  /** Its address without key and path, for messages. */
  readonly name: string;
  head(signal?: AbortSignal): Promise<ChainHead>;
  /** Undefined when the source does not know the hash (yet). */
  transaction(hash: string, signal?: AbortSignal): Promise<ChainTransaction | undefined>;
  /** All token transfers to an address in blocks from the given time on, oldest first, page by page until there are no more. */
  transfersTo(address: string, from: Date, signal?: AbortSignal): AsyncIterable<ListedTransfer[]>;
}

/** A source did not answer, or not so that it can be understood. */
export class SourceError extends Error {
  constructor(
    readonly source: string,
    readonly reason: 'unreachable' | 'throttled' | 'malformed',
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(`${source}: ${detail}`, options);
    this.name = 'SourceError';
  }
}
