import { feeFor, mulDivHalfUp } from './rounding';

describe('mulDivHalfUp', () => {
  it.each<[bigint, bigint, bigint, bigint]>([
    [0n, 5n, 3n, 0n],
    [1n, 1n, 2n, 1n],
    [1n, 1n, 3n, 0n],
    [2n, 1n, 3n, 1n],
    [3n, 1n, 2n, 2n],
    [5n, 1n, 2n, 3n],
    [7n, 3n, 7n, 3n],
    [499n, 1n, 1000n, 0n],
    [500n, 1n, 1000n, 1n],
    [1499n, 1n, 1000n, 1n],
    [10n ** 27n, 10n ** 27n, 10n ** 27n, 10n ** 27n],
    [9007199254740993n, 1n, 1n, 9007199254740993n],
  ])('%s × %s ÷ %s is %s', (a, b, c, expected) => {
    expect(mulDivHalfUp(a, b, c)).toBe(expected);
  });

  it('is the nearest whole number, the upper one on a tie', () => {
    let state = 12_345n;
    const next = (): bigint => {
      state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
      return state >> 20n;
    };
    for (let round = 0; round < 4000; round += 1) {
      const [a, b, c] = [next(), next(), (next() % 9_999n) + 1n];
      const distance = 2n * (mulDivHalfUp(a, b, c) * c - a * b);
      expect(distance > -c && distance <= c).toBe(true);
    }
  });

  it.each<[bigint, bigint, bigint]>([[-1n, 1n, 1n], [1n, -1n, 1n], [1n, 1n, 0n], [1n, 1n, -1n]])('refuses %s, %s, %s', (a, b, c) => {
    expect(() => mulDivHalfUp(a, b, c)).toThrow(RangeError);
  });
});

describe('feeFor', () => {
  it.each<[bigint, number, bigint]>([
    [10_000n, 100, 100n],
    [2500n, 290, 73n],
    [50n, 100, 1n],
    [49n, 100, 0n],
    [149n, 100, 1n],
    [150n, 100, 2n],
    [1n, 5000, 1n],
    [1n, 4999, 0n],
    [12_345n, 0, 0n],
    [12_345n, 10_000, 12_345n],
    [0n, 290, 0n],
    [10n ** 27n, 1, 10n ** 23n],
  ])('of %s at %i basis points is %s', (amountMinor, feeBps, fee) => {
    expect(feeFor(amountMinor, feeBps)).toBe(fee);
  });

  it('is never above the amount and never falls when the rate rises', () => {
    for (const amountMinor of [0n, 1n, 2n, 3n, 7n, 99n, 12_345n, 10n ** 27n]) {
      let previous = 0n;
      for (let feeBps = 0; feeBps <= 10_000; feeBps += 25) {
        const fee = feeFor(amountMinor, feeBps);
        expect(fee >= previous && fee <= amountMinor).toBe(true);
        previous = fee;
      }
    }
  });

  it.each([-1, 10_001, 1.5, NaN, Infinity, 2 ** 53, '100', null, undefined])('refuses %p basis points', (feeBps) => {
    expect(() => feeFor(100n, feeBps as number)).toThrow(RangeError);
  });

  it('refuses a negative amount', () => {
    expect(() => feeFor(-1n, 100)).toThrow(RangeError);
  });
});
