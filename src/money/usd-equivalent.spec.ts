import type { CurrencyCode } from './currency';
import { isWorthAtLeast, usdEquivalentMinor } from './usd-equivalent';

describe('the value in dollars', () => {
  it.each<[bigint, CurrencyCode, bigint | undefined]>([
    [1_000_000n, 'USD', 1_000_000n],
    [10_000_000_000n, 'USDT', 1_000_000n],
    [1n, 'USDT', 1n],
    [9_999_990_001n, 'USDT', 1_000_000n],
    [1n, 'EUR', undefined],
    [1n, 'ETH', undefined],
  ])('of %d minor units of %s is %d cents', (minor, currency, cents) => {
    expect(usdEquivalentMinor(minor, currency)).toBe(cents);
  });

  it('is at least a limit only from the limit on', () => {
    expect(isWorthAtLeast(999_999n, 'USD', 1_000_000n)).toBe(false);
    expect(isWorthAtLeast(1_000_000n, 'USD', 1_000_000n)).toBe(true);
  });

  it('is taken for large where it is not known', () => {
    expect(isWorthAtLeast(1n, 'EUR', 1_000_000n)).toBe(true);
  });
});
