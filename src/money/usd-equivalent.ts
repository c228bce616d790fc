import { exponentOf, type CurrencyCode } from './currency';

/** What counts as a dollar: the dollar, and the token that stands for it. Other currencies need a rate. */
const AT_PAR: ReadonlySet<CurrencyCode> = new Set(['USD', 'USDT']);
const CENTS = 2;

/**
 * An amount in US cents, rounded up, for limits that are told in dollars. Undefined where no value is known; whoever asks then takes
 * the amount for a large one, so that a missing rate never lowers a guard.
 */
export function usdEquivalentMinor(amountMinor: bigint, currency: CurrencyCode): bigint | undefined {
  if (!AT_PAR.has(currency)) return undefined;
  const unit = 10n ** BigInt(exponentOf(currency) - CENTS);
  return (amountMinor + unit - 1n) / unit;
}

/** Whether an amount is worth at least so many US cents, as far as is known. */
export function isWorthAtLeast(amountMinor: bigint, currency: CurrencyCode, cents: bigint): boolean {
  const worth = usdEquivalentMinor(amountMinor, currency);
  return worth === undefined || worth >= cents;
}
