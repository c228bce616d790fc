import { createCipheriv } from 'node:crypto';
import { inspect } from 'node:util';
import { sha256Hex } from './digests';
import { Envelope, EnvelopeError, type SealedPlace } from './envelope';

const oldKey = Buffer.alloc(32, 1);
const newKey = Buffer.alloc(32, 2);
const place: SealedPlace = { table: 'people', column: 'totp_secret', row: 'usr_1' };
const secret = 'JBSWY3DPEHPK3PXP';

function failureOf(act: () => unknown): EnvelopeError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(EnvelopeError);
    return error as EnvelopeError;
  }
  throw new Error('Nothing was refused.');
}

describe('Envelope', () => {
  const envelope = new Envelope([newKey, oldKey]);

  it('opens what it sealed, text and bytes, also empty', () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    expect(envelope.open(envelope.seal('Schlüssel 🔑', place), place).toString('utf8')).toBe('Schlüssel 🔑');
    expect(envelope.open(envelope.seal(bytes, place), place)).toEqual(bytes);
    expect(envelope.open(envelope.seal('', place), place)).toHaveLength(0);
  });

  it('writes version, key id, IV and ciphertext and never the same text twice', () => {
    const sealed = envelope.seal(secret, place);
    expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{43}$/);
    expect(sealed.split('.')[1]).toBe(sha256Hex(newKey).slice(0, 8));
    expect(envelope.seal(secret, place)).not.toBe(sealed);
  });

  it('opens a value that was put together by hand from the published format', () => {
    const keyId = sha256Hex(oldKey).slice(0, 8);
    const iv = Buffer.alloc(12, 7);
    const cipher = createCipheriv('aes-256-gcm', oldKey, iv);
    cipher.setAAD(Buffer.from(`["v1","${keyId}","people","totp_secret","usr_1"]`));
    const body = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
    const sealed = `v1.${keyId}.${iv.toString('base64url')}.${body.toString('base64url')}`;
    expect(envelope.open(sealed, place).toString()).toBe(secret);
  });

  it('reads with an older key, writes with the newest and tells them apart', () => {
    const old = new Envelope([oldKey]).seal(secret, place);
    expect(envelope.open(old, place).toString()).toBe(secret);
    expect(envelope.isCurrent(old)).toBe(false);
    expect(envelope.isCurrent(envelope.seal(secret, place))).toBe(true);
    expect(envelope.isCurrent('junk')).toBe(false);
  });

  it.each<[string, Partial<SealedPlace>]>([
    ['row', { row: 'usr_2' }],
    ['column', { column: 'phone' }],
    ['table', { table: 'clients' }],
    ['split of names', { table: 'people","totp_secret', column: 'x' }],
  ])('does not open in another %s', (_what, other) => {
    const sealed = envelope.seal(secret, place);
    expect(failureOf(() => envelope.open(sealed, { ...place, ...other })).reason).toBe('not_authentic');
  });

  it('does not open after any change of a single character', () => {
    const sealed = envelope.seal(secret, place);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
      failureOf(() => envelope.open(changed, place));
    }
  });

  it('does not open when cut at any place or with anything behind it', () => {
    const sealed = envelope.seal(secret, place);
    for (let length = 0; length < sealed.length; length += 1) {
      failureOf(() => envelope.open(sealed.slice(0, length), place));
    }
    for (const tail of ['A', 'AA', 'AAA', 'AAAA', '=', '\n', '.']) {
      failureOf(() => envelope.open(sealed + tail, place));
    }
  });

  it.each([
    '', 'junk', 'v1...', secret, undefined, null, 5,
    'v2.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA', 'v1.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAB',
  ])('refuses %p as malformed', (value) => {
    expect(failureOf(() => envelope.open(value as string, place)).reason).toBe('malformed');
  });

  it('names the key that is missing and nothing else', () => {
    const sealed = new Envelope([oldKey]).seal(secret, place);
    const failure = failureOf(() => new Envelope([newKey]).open(sealed, place));
    expect(failure.reason).toBe('unknown_key');
    expect(failure.message).toContain(sha256Hex(oldKey).slice(0, 8));
  });

  it('needs a whole place', () => {
    expect(failureOf(() => envelope.seal(secret, { ...place, row: '' })).reason).toBe('bad_place');
  });

  it.each<[string, Buffer[]]>([
    ['no key', []],
    ['a short key', [Buffer.alloc(31)]],
    ['a long key', [newKey, Buffer.alloc(33)]],
    ['the same key twice', [newKey, Buffer.from(newKey)]],
  ])('refuses %s', (_what, keys) => {
    expect(failureOf(() => new Envelope(keys)).reason).toBe('bad_key');
  });

  it('shows no key when it is logged, and no plaintext in errors', () => {
    const shown = inspect(envelope, { depth: 10, showHidden: true }) + JSON.stringify(envelope);
    expect(shown).not.toContain('02 02 02');
    const error = failureOf(() => envelope.open(envelope.seal(secret, place), { ...place, row: 'other' }));
    expect(inspect(error)).not.toContain(secret);
    expect(error.cause).toBeUndefined();
  });
});
