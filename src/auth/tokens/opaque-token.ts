import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../../platform/security/crypto/digests';

/** What a token is for, told by its first letters: refresh, one-time (by mail), ticket (between two factors), device. */
export type TokenPrefix = 'cpgr' | 'cpgo' | 'cpgt' | 'cpgd';

const RANDOM_BYTES = 32;
/** 32 bytes in base64url. */
const RANDOM_PART = /^[A-Za-z0-9_-]{43}$/;

/** A token that means nothing by itself: the text is given away once, the SHA-256 in hex is what is stored. */
export interface OpaqueToken {
  token: string;
  hash: string;
}

/** A new token of 256 random bits behind a prefix by which masks and secret scanners know it. */
export function newOpaqueToken(prefix: TokenPrefix): OpaqueToken {
  const token = `${prefix}_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
  return { token, hash: sha256Hex(token) };
}

/** The stored form of a token that came from outside; undefined when it has not the form of one with that prefix. */
export function hashOfToken(token: string, prefix: TokenPrefix): string | undefined {
  const isOne = token.startsWith(`${prefix}_`) && RANDOM_PART.test(token.slice(prefix.length + 1));
  return isOne ? sha256Hex(token) : undefined;
}
