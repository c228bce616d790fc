import { CURRENCY_CODES, exponentOf, type CurrencyCode } from './currency';
import { AmountError, formatAmount, MAX_AMOUNT_MINOR, parseAmount } from './money';

/** Marsaglia's xorshift32: the same cases in every run, so that a failure can be looked at again. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function reasonOf(text: unknown, currency: CurrencyCode): string {
  try {
    return `accepted as ${parseAmount(text as string, currency)}`;
  } catch (error) {
    return error instanceof AmountError ? error.reason : `threw ${String(error)}`;
  }
}

describe('parseAmount', () => {
  it.each<[string, CurrencyCode, bigint]>([
    ['25.00', 'USD', 2500n],
    ['25', 'USD', 2500n],
    ['25.5', 'EUR', 2550n],
    ['0.01', 'GBP', 1n],
    ['2500', 'JPY', 2500n],
    ['0.000001', 'USDT', 1n],
    ['9007199254740993', 'TRX', 9007199254740993000000n],
    ['0.00000001', 'BTC', 1n],
    ['1.000000000000000001', 'ETH', 1000000000000000001n],
    ['1000000000', 'ETH', MAX_AMOUNT_MINOR],
    ['1000000000000000000000000000', 'JPY', MAX_AMOUNT_MINOR],
  ])('reads %s %s as %s minor units', (text, currency, minor) => {
    expect(parseAmount(text, currency)).toBe(minor);
  });

  it.each([
    '1e3', '0x10', '-0', '-1', '+1', ' 1', '1 ', '1.', '.5', '1.5.0', '1,000', '1_000', '01', '00', '00.1', '', 'NaN', 'Infinity',
    '1\n', '\u0661', '\uff11', '1n', true, 1, 10n, 2 ** 53, NaN, null, undefined, ['1'], {},
  ])('refuses %p as malformed', (text) => {
    expect(reasonOf(text, 'USD')).toBe('malformed');
  });

  it.each<[string, CurrencyCode]>([
    ['1.001', 'USD'], ['1.000', 'USD'], ['1.0', 'JPY'], ['0.0000001', 'USDT'], ['0.000000001', 'BTC'], ['0.0000000000000000001', 'ETH'],
  ])('refuses the decimals of %s %s', (text, currency) => {
    expect(reasonOf(text, currency)).toBe('too_many_decimals');
  });

  it.each<[string, CurrencyCode]>([
    ['0', 'USD'], ['0.00', 'USD'], ['0', 'JPY'], ['0.000000', 'USDT'],
  ])('refuses %s %s', (text, currency) => {
    expect(reasonOf(text, currency)).toBe('not_positive');
  });

  it.each<[string, CurrencyCode]>([
    ['1000000000000000000000000001', 'JPY'],
    ['10000000000000000000000000.01', 'USD'],
    ['1000000000.000000000000000001', 'ETH'],
    ['9'.repeat(200_000), 'USD'],
  ])('refuses what is above the limit', (text, currency) => {
    expect(reasonOf(text, currency)).toBe('too_large');
  });

  it('says in plain words what to do', () => {
    expect(() => parseAmount('1.5', 'JPY')).toThrow('JPY has no decimals; write a whole number.');
    expect(() => parseAmount('1.234', 'USD')).toThrow('USD has 2 decimals; write no more than that.');
    expect(() => parseAmount('99999999999', 'ETH')).toThrow('at most 1000000000.000000000000000000 ETH are possible');
  });
});

describe('formatAmount', () => {
  it.each<[bigint, CurrencyCode, string]>([
    [2500n, 'USD', '25.00'],
    [5n, 'USD', '0.05'],
    [0n, 'USD', '0.00'],
    [-50n, 'USD', '-0.50'],
    [-12345n, 'EUR', '-123.45'],
    [2500n, 'JPY', '2500'],
    [-7n, 'JPY', '-7'],
    [0n, 'JPY', '0'],
    [1n, 'ETH', '0.000000000000000001'],
    [10n ** 38n - 1n, 'USDT', '99999999999999999999999999999999.999999'],
  ])('writes %s %s as %s', (minor, currency, text) => {
    expect(formatAmount(minor, currency)).toBe(text);
  });
});

describe('the two together', () => {
  it('give back every amount unchanged', () => {
    const random = seededRandom(20_240_611);
    for (let round = 0; round < 4000; round += 1) {
      const currency = CURRENCY_CODES[random(CURRENCY_CODES.length)]!;
      const digits = Array.from({ length: 1 + random(27) }, () => random(10)).join('');
      const minor = BigInt(digits);
      if (minor > 0n) {
        expect(parseAmount(formatAmount(minor, currency), currency)).toBe(minor);
      }
    }
  });

  it('give back every accepted text with all its decimals', () => {
    const random = seededRandom(77);
    for (let round = 0; round < 4000; round += 1) {
      const currency = CURRENCY_CODES[random(CURRENCY_CODES.length)]!;
      const exponent = exponentOf(currency);
      const whole = String(1 + random(1_000_000_000 - 1));
      const fraction = Array.from({ length: random(exponent + 1) }, () => random(10)).join('');
      const text = fraction === '' ? whole : `${whole}.${fraction}`;
      const full = exponent === 0 ? whole : `${whole}.${fraction.padEnd(exponent, '0')}`;
      expect(formatAmount(parseAmount(text, currency), currency)).toBe(full);
    }
  });
});
