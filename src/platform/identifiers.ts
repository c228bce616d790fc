import { randomFillSync } from 'node:crypto';

const PREFIXES = [
  'cli', 'usr', 'ses', 'key', 'cus', 'pay', 'ref', 'wd', 'dst', 'tr', 'evt', 'we', 'del', 'pkg', 'sub', 'ano', 'sev', 'dis',
  'aud', 'req', 'ent', 'blk', 'po', 'dep', 'rle', 'lgn', 'alr',
] as const;

/** What kind of object an identifier names: `pay` a payment, `wd` a withdrawal, `we` a webhook endpoint, and so on. */
export type IdPrefix = (typeof PREFIXES)[number];

const TIME_HEX = 12;
const RANDOM_BYTES = 10;
const RANDOM_HEX = RANDOM_BYTES * 2;
const LATEST_MS = 2 ** 48 - 1;
const BODY = /^[0-9a-f]{32}$/;

/** Asking the system for randomness costs about as much for 4 KiB as for ten bytes, so it is asked once per 400 identifiers. */
const pool = Buffer.allocUnsafeSlow(400 * RANDOM_BYTES);
let used = pool.length;

/**
 * A new identifier: prefix, `_`, 12 hex digits of unix milliseconds and 20 random hex digits (80 bits), lower case.
 * Identifiers of one prefix sort by their millisecond of birth; within one millisecond the order is random.
 * They are hard to guess but no secrets: never use one as a token.
 *
 * @throws RangeError when `atMs` is not a whole number of milliseconds from 1970 to the year 10889.
 */
export function newId(prefix: IdPrefix, atMs: number = Date.now()): string {
  return `${prefix}_${timeHex(atMs)}${randomHex()}`;
}

/** Tells whether a value from outside is a well-formed identifier of that kind. Never throws. */
export function isId(prefix: IdPrefix, text: unknown): text is string {
  return typeof text === 'string' && text.startsWith(`${prefix}_`) && BODY.test(text.slice(prefix.length + 1));
}

/**
 * The smallest identifier that an object born at `date` can have. `created_gte` becomes `id >= bound` and `created_lt` becomes
 * `id < bound`, so that filters by time run on the primary key. Dates before 1970 give the smallest identifier of all.
 *
 * @throws RangeError for an invalid date.
 */
export function idLowerBound(prefix: IdPrefix, date: Date): string {
  return `${prefix}_${timeHex(Math.max(0, date.getTime()))}${'0'.repeat(RANDOM_HEX)}`;
}

function timeHex(atMs: number): string {
  if (!Number.isInteger(atMs) || atMs < 0 || atMs > LATEST_MS) {
    throw new RangeError('An identifier needs a whole number of unix milliseconds.');
  }
  return atMs.toString(16).padStart(TIME_HEX, '0');
}

function randomHex(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return pool.toString('hex', used - RANDOM_BYTES, used);
}
