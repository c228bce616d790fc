import { z } from 'zod';
import { isTronAddress } from './tron-address';
import { TRANSACTION_HASH } from './tron-source';

const YEAR_2100_MS = Date.UTC(2100, 0);
/** No uint256 has more decimal digits. */
const DIGITS = /^[0-9]{1,78}$/;
const MAX_SYMBOL = 32;

export const hashSchema = z.string().toLowerCase().regex(TRANSACTION_HASH);
export const addressSchema = z.string().refine(isTronAddress);
/** Amounts come as digits in a string; a JSON number could have lost some. */
export const amountSchema = z.string().regex(DIGITS).transform(BigInt);
export const blockNumberSchema = z.int().nonnegative();
/** Milliseconds. A time that no calendar knows, or in another unit, would push every cursor past all payments. */
export const timeSchema = z.int().positive().max(YEAR_2100_MS).transform((ms) => new Date(ms));
/** Whoever makes a token writes its symbol; control characters would not even fit into the database. */
export const symbolSchema = z.string().nullish().transform((text) => {
  const visible = (text ?? '').replace(/\p{C}/gu, '');
  return [...visible].slice(0, MAX_SYMBOL).join('');
});
