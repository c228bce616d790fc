import { randomInt } from 'node:crypto';
import { sha256Hex } from '../../platform/security/crypto/digests';

/** Digits and letters that nobody takes for another: no 0 and o, no 1, i and l. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
const CODES = 10;
const GROUPS = /.{4}/g;
const CODE = new RegExp(`^[${ALPHABET}]{16}$`);
/** Generous to spaces and dashes, and short enough that no input costs anything. */
const MAX_TYPED = 64;

/** The codes as they are shown once, and what is stored of them. */
export interface BackupCodes {
  shown: string[];
  hashes: string[];
}

/** Ten new codes such as `k7mp-2xqd-9hwt-c4vz`. 16 letters of 31 are 79 bits, so a plain SHA-256 keeps them. */
export function newBackupCodes(): BackupCodes {
  const codes = Array.from({ length: CODES }, newCode);
  return { shown: codes.map((code) => code.match(GROUPS)!.join('-')), hashes: codes.map((code) => sha256Hex(code)) };
}

/** The stored form of a code as somebody typed it: case, spaces and dashes do not matter. Undefined when it has not the form of one. */
export function hashOfBackupCode(text: string): string | undefined {
  const code = normalised(text);
  return code && sha256Hex(code);
}

function newCode(): string {
  return Array.from({ length: 16 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

function normalised(text: string): string | undefined {
  if (text.length > MAX_TYPED) return undefined;
  const code = text.replace(/[\s\p{Pd}]/gu, '').toLowerCase();
  return CODE.test(code) ? code : undefined;
}
