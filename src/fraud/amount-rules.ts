import type { CurrencyCode } from '../money/currency';
import { formatAmount } from '../money/money';
import type { RiskRule } from './risk';

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
const HISTORY = 3;

/** What an amount is in tenths of the usual one, rounded down; undefined without a history to compare it with. */
function tenthsOfUsual({ amountMinor, earlierCount, averageMinor }: AmountFacts): bigint | undefined {
  if (earlierCount < HISTORY || averageMinor === null || averageMinor <= 0n) return undefined;
  return (amountMinor * 10n) / averageMinor;
}

function timesUsual(facts: AmountFacts): string {
  const tenths = tenthsOfUsual(facts) ?? 0n;
  const shown = (minor: bigint) => formatAmount(minor, facts.currency);
  const figures = `${shown(facts.amountMinor)} ${facts.currency}; usual ${shown(facts.averageMinor ?? 0n)}`;
  return `${tenths / 10n}.${tenths % 10n} times the usual amount (${figures})`;
}

/** Amounts against their own history; the first two exclude each other. */
export const AMOUNT_RULES: readonly RiskRule<AmountFacts>[] = [
  {
    weight: 45,
    when: (facts) => (tenthsOfUsual(facts) ?? 0n) >= 100n,
    reason: timesUsual,
  },
  {
    weight: 25,
    when: (facts) => {
      const tenths = tenthsOfUsual(facts) ?? 0n;
      return tenths >= 30n && tenths < 100n;
    },
    reason: timesUsual,
  },
  {
    weight: 10,
    when: (facts) => tenthsOfUsual(facts) !== undefined && facts.maxMinor !== null && facts.amountMinor >= facts.maxMinor * 2n,
    reason: ({ currency, maxMinor }) => `at least twice the largest before (${formatAmount(maxMinor ?? 0n, currency)} ${currency})`,
  },
];
