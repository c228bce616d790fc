const BPS_PER_WHOLE = 10_000;

/**
 * The fee on an amount, in the same minor units, rounded half up to a whole minor unit.
 *
 * @param amountMinor not negative
 * @param feeBps basis points, a whole number from 0 to 10000 (100 = 1 %); the fee is therefore never above the amount
 * @throws RangeError when either is out of its range: a wrong fee setting must stop the booking, not distort it.
 */
export function feeFor(amountMinor: bigint, feeBps: number): bigint {
  if (!Number.isSafeInteger(feeBps) || feeBps < 0 || feeBps > BPS_PER_WHOLE) {
    throw new RangeError('feeBps must be a whole number from 0 to 10000.');
  }
  return mulDivHalfUp(amountMinor, BigInt(feeBps), BigInt(BPS_PER_WHOLE));
}

/**
 * `a × b ÷ c`, rounded half up to a whole number, exact at every size because the product is never cut.
 * Only for non-negative `a` and `b` and positive `c`: "half up" has two readings below zero, and no caller needs either.
 *
 * @throws RangeError outside of that range.
 */
export function mulDivHalfUp(a: bigint, b: bigint, c: bigint): bigint {
  if (a < 0n || b < 0n || c <= 0n) {
    throw new RangeError('mulDivHalfUp takes non-negative factors and a positive divisor.');
  }
  return (2n * a * b + c) / (2n * c);
}
