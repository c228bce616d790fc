import { exponentOf, type CurrencyCode } from './currency';

/** Why an amount was refused; stable, so that callers can map it to their own errors. */
export type AmountErrorReason = 'malformed' | 'not_positive' | 'too_many_decimals' | 'too_large';

/** An amount from outside that is not acceptable. The message is for people and never repeats the input. */
export class AmountError extends Error {
  constructor(
    readonly reason: AmountErrorReason,
    message: string,
  ) {
    super(message);
    this.name = 'AmountError';
  }
}

/** The largest amount that one request may name, in minor units. Sums of many still fit numeric(38,0). */
export const MAX_AMOUNT_MINOR = 10n ** 27n;

const GRAMMAR = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;
const MAX_DIGITS = MAX_AMOUNT_MINOR.toString().length;

/**
 * Reads a decimal string such as `"25.00"` into minor units of its currency (`2500n` for USD).
 *
 * Accepts exactly `^(0|[1-9][0-9]*)(\.[0-9]+)?$`, above zero, with no more decimals than the currency has and at most
 * 10^27 minor units. Fewer decimals are fine (`"25"` is 25.00). Decimals too many are refused even when they are zeros,
 * because rounding a caller's money is never ours to do.
 *
 * @throws AmountError with the reason, also for values that are no strings at all.
 */
export function parseAmount(text: string, currency: CurrencyCode): bigint {
  const match = typeof text === 'string' ? GRAMMAR.exec(text) : null;
  if (match === null) {
    throw new AmountError('malformed', 'Write the amount as a plain decimal string, for example "25.00".');
  }
  const whole = match[1]!;
  const fraction = match[2] ?? '';
  const exponent = exponentOf(currency);
  if (fraction.length > exponent) {
    throw new AmountError('too_many_decimals', tooManyDecimals(currency, exponent));
  }
  // The length is checked first because turning a very long string into a bigint costs time that grows with its square.
  const minor = whole.length > MAX_DIGITS ? null : BigInt(whole + fraction.padEnd(exponent, '0'));
  if (minor === null || minor > MAX_AMOUNT_MINOR) {
    const limit = formatAmount(MAX_AMOUNT_MINOR, currency);
    throw new AmountError('too_large', `The amount is too large; at most ${limit} ${currency} are possible.`);
  }
  if (minor === 0n) {
    throw new AmountError('not_positive', 'The amount must be greater than zero.');
  }
  return minor;
}

/**
 * Writes minor units as a decimal string with all decimals of the currency: `2500n` USD is `"25.00"`, `-50n` is `"-0.50"`,
 * `2500n` JPY is `"2500"`. The inverse of `parseAmount`; negative amounts occur in statements only.
 */
export function formatAmount(minor: bigint, currency: CurrencyCode): string {
  const exponent = exponentOf(currency);
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) {
    return sign + digits;
  }
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

function tooManyDecimals(currency: CurrencyCode, exponent: number): string {
  return exponent === 0
    ? `${currency} has no decimals; write a whole number.`
    : `${currency} has ${exponent} decimals; write no more than that.`;
}
