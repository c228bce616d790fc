import type { Payout, SettledBy } from './payout';

/** What a port says of a payout that it was given, or may have been given. */
export type PayoutFinding =
  | { state: 'paid'; by: SettledBy }
  | { state: 'refused'; reason: string }
  /** On its way, or nobody can say yet: ask again later. */
  | { state: 'waiting'; reason: string }
  /** The port has never heard of it. */
  | { state: 'none' };

/** A way to pay. Whatever it throws means that nobody knows whether it paid. */
export interface PayoutPort {
  /** Pays, once for each call. Absent where people pay. */
  send?(payout: Payout): Promise<PayoutFinding>;
  /** Looks whether it was paid, before anything is sent a second time. */
  lookUp(payout: Payout): Promise<PayoutFinding>;
  /** After a send without an answer: how long to wait before looking. */
  readonly lookAfterMs: number;
  /** How long after a send a port that has never heard of it may be given it again: longer than anything sent can be under way. */
  readonly resendAfterMs: number;
}
