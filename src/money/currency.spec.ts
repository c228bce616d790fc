import { CURRENCY_CODES, exponentOf, isCrypto, isCurrency, unitOf, type CurrencyCode } from './currency';

describe('currencies', () => {
  const contract: [CurrencyCode, number, boolean][] = [
    ['USD', 2, false], ['EUR', 2, false], ['GBP', 2, false], ['JPY', 0, false],
    ['USDT', 6, true], ['TRX', 6, true], ['BTC', 8, true], ['ETH', 18, true],
  ];

  it.each(contract)('%s has %i decimals', (code, exponent, crypto) => {
    expect(isCurrency(code)).toBe(true);
    expect(exponentOf(code)).toBe(exponent);
    expect(isCrypto(code)).toBe(crypto);
    expect(unitOf(code)).toBe(BigInt(`1${'0'.repeat(exponent)}`));
  });

  it('lists exactly the currencies of the contract', () => {
    expect(CURRENCY_CODES).toEqual(contract.map(([code]) => code));
  });

  it.each(['usd', 'XXX', '', ' USD', 'constructor', '__proto__', 'toString', null, undefined, 840, ['USD'], {}])(
    'does not take %p for a currency',
    (value) => expect(isCurrency(value)).toBe(false),
  );
});
