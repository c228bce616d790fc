import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { z } from 'zod';

/** bcrypt reads 72 bytes and ignores the rest, so nothing longer is ever accepted. */
export const MAX_PASSWORD_BYTES = 72;
const MIN_PASSWORD_BYTES = 12;
const IN_BYTES = 'bytes long (a plain letter or digit is one byte, other characters are up to four)';

/** Fewer guesses than 10^8 are within reach of whoever has stolen the hashes; zxcvbn calls that a score below 3. */
const MIN_SCORE = 3;
/** The time that zxcvbn takes grows with the square of the length: 40 characters of the worst kind take 20 ms, 72 would take 100. */
const MAX_JUDGED_LENGTH = 40;
const MAX_LEET_READINGS = 20;
const MAX_ABOUT_LENGTH = 254;
const PRODUCT_NAME = 'CPGateway';
const NOT_OF_A_WORD = /[^\p{L}\p{N}]+/gu;

/** Length in UTF-8, which is what bcrypt sees. */
export function passwordBytes(password: string): number {
  return Buffer.byteLength(password, 'utf8');
}

/**
 * A password that somebody chooses: 12 to 72 bytes of any characters. There are no rules about what must occur in it, as NIST SP 800-63B
 * (section 3.1.1.2) advises. Whether it is a common one is the question of `passwordProblem`.
 */
export const newPassword = z
  .string()
  .refine((password) => passwordBytes(password) >= MIN_PASSWORD_BYTES, `must be at least ${MIN_PASSWORD_BYTES} ${IN_BYTES}`)
  .refine((password) => passwordBytes(password) <= MAX_PASSWORD_BYTES, `must be at most ${MAX_PASSWORD_BYTES} ${IN_BYTES}`)
  .meta({
    description: `${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes of UTF-8, any characters. What attackers try first is refused.`,
    format: 'password',
  });

/**
 * Says what is wrong with a password that somebody chooses, to follow the name of its field, or undefined when nothing is. Refused is what
 * is known from breaches or easily guessed, also with letters swapped for digits, on a keyboard's path, or made of what is known `about`
 * the person: e-mail address, the client's name.
 *
 * Judges the first 40 characters, which bounds the time to about 20 ms. The first call also reads the dictionaries: once some 60 ms,
 * and 7 MB that stay.
 */
export function passwordProblem(password: string, about: readonly string[]): string | undefined {
  const { score } = judge().check(password, [...new Set(about.flatMap(wordsOf).concat(PRODUCT_NAME))]);
  return score < MIN_SCORE ? 'is among the first that attackers try; choose a longer or less usual one' : undefined;
}

/** A text in every reading that a password is made of: whole and run together, of an e-mail address also name and domain; and its words. */
function wordsOf(text: string): string[] {
  const bounded = text.slice(0, MAX_ABOUT_LENGTH);
  const parts = [bounded, ...bounded.split('@')];
  const runTogether = parts.map((part) => part.replace(NOT_OF_A_WORD, ''));
  return [...parts, ...runTogether, ...bounded.split(NOT_OF_A_WORD)].filter((word) => word.length > 2);
}

let loaded: ZxcvbnFactory | undefined;

/** Loaded when the first password is chosen: most instances and every command of an operator do without. */
function judge(): ZxcvbnFactory {
  if (!loaded) {
    const core = require('@zxcvbn-ts/core') as typeof import('@zxcvbn-ts/core');
    const { adjacencyGraphs, dictionary } = require('@zxcvbn-ts/language-common') as typeof import('@zxcvbn-ts/language-common');
    loaded = new core.ZxcvbnFactory({
      dictionary,
      graphs: adjacencyGraphs,
      maxLength: MAX_JUDGED_LENGTH,
      l33tMaxSubstitutions: MAX_LEET_READINGS,
    });
  }
  return loaded;
}
