import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { sha256Hex } from './digests';

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/** Where a sealed value lives. It opens only there, so a ciphertext that was copied to another row or column is worthless. */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  /** The primary key of the row, as text. */
  readonly row: string;
}

/** A value could not be sealed or opened. The message never holds plaintext, ciphertext or key material. */
export class EnvelopeError extends Error {
  constructor(
    readonly reason: 'bad_key' | 'bad_place' | 'malformed' | 'unknown_key' | 'not_authentic',
    message: string,
  ) {
    super(message);
    this.name = 'EnvelopeError';
  }
}

interface Sealed {
  readonly keyId: string;
  readonly iv: Buffer;
  readonly body: Buffer;
}

/**
 * Keeps secrets unreadable at rest: AES-256-GCM (NIST SP 800-38D) with a random 96-bit IV and the place as associated data.
 *
 * A sealed value is the text `v1.<keyId>.<iv>.<ciphertext and tag>`, the last two as base64url; the key id is the first eight hex
 * digits of the key's SHA-256. The newest key seals, every given key opens, so a key is rotated by putting the new one in front
 * and sealing again whatever is not current.
 */
export class Envelope {
  // Private to the language and not only to the compiler, so that no logger can walk into the keys.
  readonly #keys = new Map<string, KeyObject>();
  readonly #currentKeyId: string;

  /**
   * @param keys 32 bytes each, newest first, at least one
   * @throws EnvelopeError (`bad_key`) for no key, a wrong length, or two keys with the same id.
   */
  constructor(keys: readonly Buffer[]) {
    for (const key of keys) {
      const keyId = key.length === KEY_BYTES ? sha256Hex(key).slice(0, 8) : '';
      if (keyId === '') {
        throw new EnvelopeError('bad_key', 'An encryption key must be exactly 32 bytes.');
      }
      if (this.#keys.has(keyId)) {
        throw new EnvelopeError('bad_key', 'The same encryption key is given twice.');
      }
      this.#keys.set(keyId, createSecretKey(key));
    }
    const [currentKeyId] = this.#keys.keys();
    if (currentKeyId === undefined) {
      throw new EnvelopeError('bad_key', 'At least one encryption key is needed.');
    }
    this.#currentKeyId = currentKeyId;
  }

  /** Seals a value for one place with the newest key. Sealing the same value twice gives different texts. */
  seal(plaintext: string | Buffer, place: SealedPlace): string {
    const keyId = this.#currentKeyId;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#keyFor(keyId), iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(keyId, place));
    const data = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
    const body = Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
    return `${VERSION}.${keyId}.${iv.toString('base64url')}.${body.toString('base64url')}`;
  }

  /**
   * Opens a sealed value at its place.
   *
   * @throws EnvelopeError: `malformed` for anything that `seal` cannot have written, `unknown_key` when its key is not among ours,
   *   `not_authentic` when it was changed or belongs to another place.
   */
  open(sealed: string, place: SealedPlace): Buffer {
    const { keyId, iv, body } = readSealed(sealed);
    const key = this.#keyFor(keyId);
    const tagStart = body.length - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(keyId, place));
    decipher.setAuthTag(body.subarray(tagStart));
    try {
      return Buffer.concat([decipher.update(body.subarray(0, tagStart)), decipher.final()]);
    } catch {
      // The cause is left out on purpose: it says nothing that the reason does not, and errors end up in logs.
      throw new EnvelopeError('not_authentic', 'The sealed value was changed or belongs to another place.');
    }
  }

  /** True when the value was sealed with the newest key. False asks for sealing it again; junk is false too. */
  isCurrent(sealed: string): boolean {
    return typeof sealed === 'string' && SEALED.exec(sealed)?.[1] === this.#currentKeyId;
  }

  #keyFor(keyId: string): KeyObject {
    const key = this.#keys.get(keyId);
    if (key === undefined) {
      throw new EnvelopeError('unknown_key', `No encryption key with the id ${keyId} is configured.`);
    }
    return key;
  }
}

function readSealed(sealed: string): Sealed {
  const [, keyId, ivText, bodyText] = (typeof sealed === 'string' && SEALED.exec(sealed)) || [];
  const iv = Buffer.from(ivText ?? '', 'base64url');
  const body = Buffer.from(bodyText ?? '', 'base64url');
  // Node's decoder forgives leftover characters; only the one spelling that `seal` writes is accepted.
  if (keyId === undefined || body.length < TAG_BYTES || body.toString('base64url') !== bodyText) {
    throw new EnvelopeError('malformed', 'This is not a sealed value.');
  }
  return { keyId, iv, body };
}

/** JSON keeps the parts apart: no choice of names can make two different places look the same. */
function associatedData(keyId: string, place: SealedPlace): Buffer {
  const { table, column, row } = place;
  if (!table || !column || !row) {
    throw new EnvelopeError('bad_place', 'A sealed value needs the table, the column and the row that it lives in.');
  }
  return Buffer.from(JSON.stringify([VERSION, keyId, table, column, row]), 'utf8');
}
