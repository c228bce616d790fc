import { randomBytes } from 'node:crypto';
import { addressFromHex, USDT_CONTRACT } from '../../src/chains/tron/tron-address';
import { type ChainHead, FINAL_CONFIRMATIONS } from '../../src/chains/tron/tron-source';

/** A token's event as a test asks for it. A transfer of USDT unless said otherwise. */
export interface FakeEvent {
  to: string;
  from?: string;
  amountMinor: bigint;
  contract?: string;
  symbol?: string;
  decimals?: number;
  /** `approval` lets somebody spend and moves nothing; an `nft` (TRC-721) has a number instead of an amount. */
  kind?: 'transfer' | 'approval' | 'nft';
}

/** What concerns the whole transaction: how its call ends, and the time of its block (now). */
interface Circumstances {
  /** `SUCCESS`, `REVERT`, `OUT_OF_ENERGY` and so on. */
  result?: string;
  at?: Date;
}

export interface FakeTransaction {
  hash: string;
  block: number;
  at: Date;
  result: string;
  events: Required<FakeEvent>[];
}

/** An address that nobody has. */
export function someAddress(): string {
  return addressFromHex(randomBytes(20).toString('hex'));
}

/**
 * A TRON chain in memory, which one or more FakeTron servers tell about. Its number of blocks grows only when a test says so; the
 * time of its newest block is always now, as that of a chain that works.
 */
export class FakeTronChain {
  private number = 70_000_000;
  private newestMs = 0;
  private readonly byHash = new Map<string, FakeTransaction>();
  private byTime?: FakeTransaction[];

  head(): ChainHead {
    return { number: this.number, at: new Date(Math.max(Date.now(), this.newestMs)) };
  }

  /** Puts a transaction with one token event, or several, into a block of its own and answers its hash. */
  transfer({ result = 'SUCCESS', at = this.nextTime(), ...first }: FakeEvent & Circumstances, ...more: FakeEvent[]): string {
    return this.add(result, at, [first, ...more]);
  }

  /** A payment in TRX, which calls no contract. */
  plainPayment(): string {
    return this.add('SUCCESS', this.nextTime(), []);
  }

  advance(blocks = 1): void {
    this.number += blocks;
  }

  /** Adds blocks until a transaction has so many, its own included; as many as make it final unless said otherwise. */
  confirm(hash: string, confirmations = FINAL_CONFIRMATIONS): void {
    this.number = Math.max(this.number, this.find(hash).block + confirmations - 1);
  }

  /** Takes a transaction's block back. It is gone (`drop`), or comes again in a new block (`move`). */
  reorganise(hash: string, how: 'drop' | 'move'): void {
    const transaction = this.find(hash);
    this.byHash.delete(hash);
    this.byTime = undefined;
    this.advance();
    if (how === 'move') this.byHash.set(hash, { ...transaction, block: this.number, at: this.nextTime() });
  }

  /** All transactions, oldest first. */
  transactions(): readonly FakeTransaction[] {
    this.byTime ??= [...this.byHash.values()].sort((a, b) => a.at.getTime() - b.at.getTime());
    return this.byTime;
  }

  get(hash: string): FakeTransaction | undefined {
    return this.byHash.get(hash);
  }

  private add(result: string, at: Date, events: FakeEvent[]): string {
    this.advance();
    const hash = randomBytes(32).toString('hex');
    const whole = events.map((event) => ({
      from: someAddress(), contract: USDT_CONTRACT, symbol: 'USDT', decimals: 6, kind: 'transfer' as const, ...event,
    }));
    this.byHash.set(hash, { hash, block: this.number, at, result, events: whole });
    this.byTime = undefined;
    return hash;
  }

  /** Now; no two blocks have the same time. */
  private nextTime(): Date {
    this.newestMs = Math.max(Date.now(), this.newestMs + 1);
    return new Date(this.newestMs);
  }

  private find(hash: string): FakeTransaction {
    const transaction = this.byHash.get(hash);
    if (!transaction) throw new Error(`The fake chain has no transaction ${hash}.`);
    return transaction;
  }
}
