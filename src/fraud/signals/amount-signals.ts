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
export function amountSignals({ amountMinor, currency, earlierCount, averageMinor, maxMinor }: AmountFacts): Signals {
  const shown = (minor: bigint) => formatAmount(minor, currency);
  const common = { amount: shown(amountMinor), currency, amount_units: unitsOf(amountMinor, currency), earlier: earlierCount };
  if (earlierCount < HISTORY || !averageMinor || averageMinor <= 0n) return common;
  const times = tenthsOf(amountMinor, averageMinor);
  return {
    ...common,
    amount_times_usual: times,
    times_usual: times.toFixed(1),
    usual_amount: shown(averageMinor),
    ...(maxMinor ? { amount_times_largest: tenthsOf(amountMinor, maxMinor), largest_amount: shown(maxMinor) } : {}),
  };
}

/** What an amount is in another, rounded down to tenths; exact however large they are. */
export function tenthsOf(amountMinor: bigint, otherMinor: bigint): number {
  return Number((amountMinor * 10n) / otherMinor) / 10;
}

/** Whole units of money, for comparing only. */
export function unitsOf(amountMinor: bigint, currency: CurrencyCode): number {
  return Number(amountMinor / unitOf(currency));
}
