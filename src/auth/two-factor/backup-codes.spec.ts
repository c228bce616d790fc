import { sha256Hex } from '../../platform/security/crypto/digests';
import { hashOfBackupCode, newBackupCodes } from './backup-codes';

describe('newBackupCodes', () => {
  it('gives ten different codes in groups of four, and their hashes', () => {
    const { shown, hashes } = newBackupCodes();
    expect(new Set(shown).size).toBe(10);
    for (const [index, code] of shown.entries()) {
      expect(code).toMatch(/^[2-9a-hjkmnp-z]{4}(?:-[2-9a-hjkmnp-z]{4}){3}$/);
      expect(hashOfBackupCode(code)).toBe(hashes[index]);
      expect(hashes[index]).toBe(sha256Hex(code.replaceAll('-', '')));
    }
    expect(newBackupCodes().shown).not.toEqual(shown);
  });

  it('uses every letter of its alphabet, at least 75 bits a code', () => {
    const letters = new Set(Array.from({ length: 30 }, () => newBackupCodes().shown.join('')).join('').replaceAll('-', ''));
    expect(letters.size).toBe(31);
    expect(16 * Math.log2(letters.size)).toBeGreaterThan(75);
  });
});

describe('hashOfBackupCode', () => {
  const HASH = sha256Hex('k7mp2xqd9hwtc4vz');

  it.each([
    'k7mp-2xqd-9hwt-c4vz', 'K7MP-2XQD-9HWT-C4VZ', 'k7mp2xqd9hwtc4vz', ' k7mp 2xqd 9hwt c4vz\n', 'k7mp–2xqd—9hwt-c4vz',
  ])('knows %j', (typed) => {
    expect(hashOfBackupCode(typed)).toBe(HASH);
    expect(hashOfBackupCode(typed)).toBeDefined();
  });

  it.each([
    '', '-', '123456', '005924', 'k7mp-2xqd-9hwt-c4v', 'k7mp-2xqd-9hwt-c4vzz', 'k7mp-2xqd-9hwt-c4v0', 'k7mp-2xqd-9hwt-c4vl',
    'k7mp_2xqd_9hwt_c4vz', `k7mp2xqd9hwtc4vz${' '.repeat(100)}`, '\u212A7mp-2xqd-9hwt-c4v', '-'.repeat(1_000_000),
  ])('does not know %j', (typed) => {
    expect(hashOfBackupCode(typed)).toBeUndefined();
    expect(hashOfBackupCode(typed)).toBeUndefined();
  });
});
