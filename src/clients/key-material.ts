import { randomInt } from 'node:crypto';
import { randomToken, sha256Hex } from '../platform/security/crypto/digests';
import type { SealedPlace } from '../platform/security/crypto/envelope';
import type { ApiKey } from './api-key.entity';

/** A key as it is shown once, when it is made. */
export interface IssuedKey {
  key: ApiKey;
  apiKey: string;
  signingSecret: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const KEY_LENGTH = 40;
const PREFIX_LENGTH = 'cpg_test_'.length + 12;

/** A new API key: shown once, then only its prefix and hash remain. 40 letters of 62 are 238 bits. */
export function newApiKey(livemode: boolean): string {
  const letters = Array.from({ length: KEY_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `cpg_${livemode ? 'live' : 'test'}_${letters}`;
}

/** The part of a key that finds it: mode and the first 12 letters. */
export function prefixOf(apiKey: string): string {
  return apiKey.slice(0, PREFIX_LENGTH);
}

/** SHA-256 is enough for what has 238 bits of its own; a slow hash would only slow down every request. */
export function hashOf(apiKey: string): string {
  return sha256Hex(apiKey);
}

/** A new signing secret, used as text: 32 random bytes in hex behind a name by which masks and scanners know what it is. */
export function newSigningSecret(): string {
  return `cpg_sign_${randomToken(32)}`;
}

/** Where a key's signing secret is sealed to; it opens nowhere else. */
export function signingSecretPlace(clientId: string, keyId: string): SealedPlace {
  return { table: 'api_keys', column: 'signing_secret', row: `${clientId} ${keyId}` };
}
