import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** SHA-256 as 64 lower-case hex digits. Text is taken as UTF-8. */
export function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** HMAC-SHA-256 (RFC 2104), 32 bytes. Text is taken as UTF-8. */
export function hmacSha256(key: string | Buffer, data: string | Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/**
 * Compares a 32-byte digest with one that came from outside as hex, in a time that does not depend on where they differ.
 * Anything but 64 lower-case hex digits is false, never an error.
 *
 * The form is checked before decoding because Node's hex decoder silently drops everything after the first byte that is not
 * hex, which would let a valid signature with a tail of junk pass.
 */
export function constantTimeEqualHex(expected: Buffer, candidateHex: string): boolean {
  if (typeof candidateHex !== 'string' || !SHA256_HEX.test(candidateHex)) {
    return false;
  }
  return constantTimeEqual(expected, Buffer.from(candidateHex, 'hex'));
}

/** Compares two secrets in constant time. Different lengths are false; Node's own comparison would throw. */
export function constantTimeEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A secret of that many random bytes as lower-case hex, two characters for each byte. Use 32 bytes for anything that lasts. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
