interface CurrencyFacts {
  /** Decimals of the currency: how many digits of the amount stand behind the point. */
  readonly exponent: number;
  readonly crypto: boolean;
}

const CURRENCIES = {
  USD: { exponent: 2, crypto: false },
  EUR: { exponent: 2, crypto: false },
  GBP: { exponent: 2, crypto: false },
  JPY: { exponent: 0, crypto: false },
  USDT: { exponent: 6, crypto: true },
  TRX: { exponent: 6, crypto: true },
  BTC: { exponent: 8, crypto: true },
  ETH: { exponent: 18, crypto: true },
} as const satisfies Record<string, CurrencyFacts>;

/** A currency that the gateway keeps books in. Codes are upper case; any other spelling is not a currency. */
export type CurrencyCode = keyof typeof CURRENCIES;

/** Every currency code, in the order of the published contract. */
export const CURRENCY_CODES = Object.freeze(Object.keys(CURRENCIES)) as readonly CurrencyCode[];

/** Tells whether a value from outside is one of our currency codes. Never throws. */
export function isCurrency(value: unknown): value is CurrencyCode {
  return typeof value === 'string' && Object.hasOwn(CURRENCIES, value);
}

/** The number of decimals: 2 for USD, 0 for JPY, 18 for ETH. One unit is 10^exponent minor units. */
export function exponentOf(currency: CurrencyCode): number {
  return CURRENCIES[currency].exponent;
}

const UNITS = Object.fromEntries(CURRENCY_CODES.map((code) => [code, 10n ** BigInt(exponentOf(code))])) as Readonly<Record<CurrencyCode, bigint>>;

/** One unit of the currency in its minor units: 100 for USD, 1 for JPY. */
export function unitOf(currency: CurrencyCode): bigint {
  return UNITS[currency];
}

/** True for currencies that move on a chain, false for those that move through banks and cards. */
export function isCrypto(currency: CurrencyCode): boolean {
  return CURRENCIES[currency].crypto;
}
