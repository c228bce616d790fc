/** An amount as a plain number of units of the payment's currency. It is compared, never booked, so it need not be exact. */
export interface PaymentGlance {
  /** Milliseconds since 1970. */
  at: number;
  amount: number;
}

/** A payment of the customer's past. */
export interface EarlierPayment extends PaymentGlance {
  /** It is known by now that it was a fraud. What is not known is not a fraud. */
  isKnownFraud: boolean;
}

/** All payments of a customer that are past doubt: their time for complaints is over, and none was a fraud. */
export interface UsualAmounts {
  count: number;
  mean: number;
  /** Standard deviation. */
  deviation: number;
  max: number;
}

/** What one acceptance point took on one day. */
export interface DayTally {
  /** UTC day, counted from 1970. */
  day: number;
  payments: number;
  /** Those of them that are known by now as frauds. */
  knownFrauds: number;
  /** Those of the known frauds whose amount was ordinary for the customer: what was wrong was not the customer's card but the point. */
  ordinaryFrauds: number;
}

/** All that a score may depend on: what is known at the moment of the payment, without the payment's own outcome. */
export interface PaymentFacts {
  payment: PaymentGlance;
  /** The customer's payments of the last 30 days, at most the newest 200, oldest first. */
  recent: readonly EarlierPayment[];
  usual: UsualAmounts;
  /** The acceptance point's days of the last 60, oldest first; a day without a payment may be missing. */
  days: readonly DayTally[];
}

/** How long a fraud takes to be known; tallies of younger days say nothing yet. */
export const LABEL_DELAY_DAYS = 7;
export const DAY_MS = 86_400_000;

/** An age of more days than any history holds: it never happened. */
export const NEVER = 99;

/** An amount of more than so many times the customer's usual one is large. */
export const LARGE = 2.5;

/** Up to so few payments past doubt there is no usual amount yet. */
const FEW = 3;

/** What a customer usually pays: the mean of the payments past doubt, else of all recent ones, else this very amount. */
export function usualAmount({ usual, recent, payment }: Pick<PaymentFacts, 'usual' | 'recent' | 'payment'>): number {
  if (usual.count >= FEW) return usual.mean;
  if (recent.length === 0) return payment.amount;
  return recent.reduce((sum, { amount }) => sum + amount, 0) / recent.length;
}

export const dayOf = (at: number) => Math.floor(at / DAY_MS);
