import { Injectable } from '@nestjs/common';
import type { Book } from '../platform/outbox/outbox';

/**
 * `seen`: on the chain and not final. `final`: for good. `gone`: the chain does not show it (any more); it may come (back).
 * `reverted`: its call failed for good, so that nothing was transferred.
 */
export type ArrivalState = 'seen' | 'final' | 'gone' | 'reverted';

/** What one chain transaction transfers to one of our addresses of one token, all its transfers together. */
export interface ChainArrival {
  /** 64 hex digits, lower case. */
  hash: string;
  address: string;
  /** The token; whatever it calls itself. */
  contract: string;
  /** The token's own word for itself, where a list told it. */
  symbol?: string;
  /** The sender of the first of them. */
  from: string;
  /** In the token's smallest unit. */
  amountMinor: bigint;
  blockTime: Date;
  confirmations: number;
  state: ArrivalState;
  /** Why it was reverted, in the chain's words. */
  failure?: string;
}

/** An address that was made for one payment, of one book. */
export interface WatchedAddress extends Book {
  address: string;
  paymentId: string;
  /** The cursor, in the chain's time: everything before it has been handled. */
  completeUntil: Date;
  /** Nothing can have arrived before. */
  createdAt: Date;
}

/** How things stand with the payment of an address. */
export interface Standing {
  /** When it was closed; undefined while money for it is still waited for. */
  closedAt: Date | undefined;
  /** So long its money is waited for. It is not given up before the cursor has come so far. */
  waitsUntil: Date;
}

/** The feature that the addresses are for. */
export interface ArrivalHandler {
  standingOf(watched: WatchedAddress): Promise<Standing>;

  /**
   * Acts on what has become final among what is known to have arrived: all that is not settled yet, and what has just become so. Told of
   * the same arrival any number of times, also by several instances at once, it acts once. What it answers it could not act on, and is
   * told again; so is everything after it throws.
   */
  apply(watched: WatchedAddress, arrivals: readonly ChainArrival[]): Promise<ChainArrival[]>;

  /** Brings the payment in line with what is written down by now of its address. */
  follow(watched: WatchedAddress): Promise<Standing>;
}

/** The port between the room that reads chains and the feature that the addresses are for. */
@Injectable()
export class ChainArrivals {
  private registered?: ArrivalHandler;

  /** Called once by the feature whose addresses these are. */
  register(handler: ArrivalHandler): void {
    if (this.registered) throw new Error('Arrivals have a handler already.');
    this.registered = handler;
  }

  get handler(): ArrivalHandler {
    if (!this.registered) throw new Error('No feature has registered for arrivals.');
    return this.registered;
  }
}
