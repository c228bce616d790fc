import { pbkdf2Sync } from 'node:crypto';
import { HARDENED_OFFSET, HDKey } from '@scure/bip32';
import { TEST_ADDRESSES, TEST_XPUB } from '../../../test/support/fake-tron-keys';
import { readWatchOnlyKey, type WatchOnlyKey } from '../../platform/config/watch-only-key';
import { addressFromHex, depositAddress, hexOfAddress, isTronAddress, USDT_CONTRACT } from './tron-address';

const PHRASE = `${'abandon '.repeat(11)}about`;
const wallet = HDKey.fromMasterSeed(pbkdf2Sync(PHRASE, 'mnemonic', 2048, 64, 'sha512'));
const account = wallet.derive("m/44'/195'/0'");

function keyOf(text: string): WatchOnlyKey {
  const key = readWatchOnlyKey(text);
  if (key === undefined || key === 'private') throw new Error(`This is no watch-only key: ${key}`);
  return key;
}

describe('an address', () => {
  it('is told from other texts', () => {
    expect(isTronAddress(USDT_CONTRACT)).toBe(true);
    expect(isTronAddress(TEST_ADDRESSES[0])).toBe(true);
  });

  it.each([
    ['one letter changed', USDT_CONTRACT.replace('R7', 'R8')],
    ['a letter in the other case', USDT_CONTRACT.replace('NH', 'nH')],
    ['a letter too few', USDT_CONTRACT.slice(0, -1)],
    ['a space', `${USDT_CONTRACT} `],
    ['a line break', `${USDT_CONTRACT}\n`],
    ['the hex form', '41a614f803b6fd780986a42c78ec9c7f77e6ded13c'],
    ['a Bitcoin address', '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'],
    ['one with the next prefix, which can also begin with T', 'TxeQyGyJa63ho3Loe7KMVQEiAoGCbnaMqQ'],
    ['nothing', ''],
  ])('is not %s', (_what, text) => {
    expect(isTronAddress(text)).toBe(false);
  });

  it('is written from hex with and without the 41, and back', () => {
    expect(addressFromHex('41a614f803b6fd780986a42c78ec9c7f77e6ded13c')).toBe(USDT_CONTRACT);
    expect(addressFromHex('0xA614F803B6FD780986A42C78EC9C7F77E6DED13C')).toBe(USDT_CONTRACT);
    expect(hexOfAddress(USDT_CONTRACT)).toBe('a614f803b6fd780986a42c78ec9c7f77e6ded13c');
    // Twenty bytes may begin with 41 themselves.
    expect(hexOfAddress(addressFromHex(`41${'00'.repeat(19)}`))).toBe(`41${'00'.repeat(19)}`);
  });

  it.each(['', 'a614', `42${'00'.repeat(20)}`, 'zz'.repeat(20), '00'.repeat(32)])('is not written from %p', (hex) => {
    expect(() => addressFromHex(hex)).toThrow(RangeError);
  });
});

describe('a watch-only key', () => {
  it("derives the wallet's own deposit addresses", () => {
    expect(account.publicExtendedKey).toBe(TEST_XPUB);
    const key = keyOf(` ${TEST_XPUB}\n`);
    expect([0, 1].map((index) => depositAddress(key, index))).toEqual(TEST_ADDRESSES);
  });

  it('reaches the last index and none beyond', () => {
    const key = keyOf(TEST_XPUB);
    expect(isTronAddress(depositAddress(key, 2 ** 31 - 1))).toBe(true);
    for (const index of [-1, 2 ** 31, 0.5, Number.NaN]) expect(() => depositAddress(key, index)).toThrow(RangeError);
  });

  it('may be of another account of the wallet', () => {
    const key = keyOf(wallet.derive("m/44'/195'/7'").publicExtendedKey);
    expect(depositAddress(key, 0)).not.toBe(TEST_ADDRESSES[0]);
  });

  it.each([
    ['an extended private key', account.privateExtendedKey],
    ["the master's private key", wallet.privateExtendedKey],
    ['a private key with a typing mistake', account.privateExtendedKey.replace(/.$/, '!')],
    ['a bare private key', Buffer.from(account.privateKey!).toString('hex')],
    ['a recovery phrase', PHRASE],
  ])('is never %s, which is recognised', (_what, text) => {
    expect(readWatchOnlyKey(text)).toBe('private');
  });

  it.each([
    ['nothing', ''],
    ['an address', USDT_CONTRACT],
    ['a key with a wrong checksum', TEST_XPUB.replace(/.$/, 'e')],
    ["the master's public key", wallet.publicExtendedKey],
    ['a key one level too deep', account.deriveChild(HARDENED_OFFSET).publicExtendedKey],
    ['a key one level too high', wallet.derive("m/44'/195'").publicExtendedKey],
    ['a key whose last step is not hardened', wallet.derive("m/44'/195'/0").publicExtendedKey],
  ])('is not %s', (_what, text) => {
    expect(readWatchOnlyKey(text)).toBeUndefined();
  });
});
