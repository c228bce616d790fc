import { type CurrencyCode, unitOf } from '../../money/currency';
import { formatAmount } from '../../money/money';
import type { Signals } from './signal-catalogue';

/** An amount beside those of the past. */
export interface AmountFacts {
  amountMinor: bigint;
  currency: CurrencyCode;
  /** How many of the same kind and currency have come to a good end before. */
  earlierCount: number;
  /** Their average and the largest of them, in minor units; null when there were none. */
  averageMinor: bigint | null;
  maxMinor: bigint | null;
}

/** Below so many there is no "usual" that an amount could be compared with. */
export const HISTORY = 3;

/** An amount and what it is beside its own history. */
export function amountSignals({ amountMinor, currency, earlierCount, averageMinor, maxMinor }: AmountFacts) {
  const usual = earlierCount >= HISTORY && averageMinor !== null && averageMinor > 0n ? averageMinor : undefined;
  const largest = usual !== undefined && maxMinor !== null && maxMinor > 0n ? maxMinor : undefined;
  const times = timesOf(amountMinor, usual);
  return {
    amount: formatAmount(amountMinor, currency),
    currency,
    amount_units: unitsOf(amountMinor, currency),
    earlier: earlierCount,
    amount_times_usual: times,
    times_usual: times?.toFixed(1),
    usual_amount: shownOf(usual, currency),
    amount_times_largest: timesOf(amountMinor, largest),
    largest_amount: shownOf(largest, currency),
  } satisfies Signals;
}

/** What an amount is in another, rounded down to tenths; exact however large they are. */
export function tenthsOf(amountMinor: bigint, otherMinor: bigint): number {
  return Number((amountMinor * 10n) / otherMinor) / 10;
}

/** The same where there is another; undefined where there is none. */
export function timesOf(amountMinor: bigint, otherMinor: bigint | undefined): number | undefined {
  return otherMinor === undefined ? undefined : tenthsOf(amountMinor, otherMinor);
}

/** An amount as people read it; undefined where there is none. */
export function shownOf(amountMinor: bigint | undefined, currency: CurrencyCode): string | undefined {
  return amountMinor === undefined ? undefined : formatAmount(amountMinor, currency);
}

/** Whole units of money, for comparing only. */
export function unitsOf(amountMinor: bigint, currency: CurrencyCode): number {
  return Number(amountMinor / unitOf(currency));
}
