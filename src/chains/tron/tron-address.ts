import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { createBase58check } from '@scure/base';
import { HARDENED_OFFSET } from '@scure/bip32';
import type { WatchOnlyKey } from '../../platform/config/watch-only-key';

/** The contract of Tether USD on TRON's main network. Its amounts have six decimals. */
export const USDT_CONTRACT = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t';

/** The first byte of every address of the main network, https://developers.tron.network/docs/account. */
const ADDRESS_PREFIX = 0x41;
const ADDRESS_SHAPE = /^T[1-9A-HJ-NP-Za-km-z]{33}$/;
const ADDRESS_HEX = /^(?:0x)?(?:41)?([0-9a-f]{40})$/i;

const base58check = createBase58check(sha256);

/** Whether a text is an address of TRON's main network with a correct checksum. Letters count by their case. */
export function isTronAddress(text: string): boolean {
  if (!ADDRESS_SHAPE.test(text)) return false;
  try {
    const bytes = base58check.decode(text);
    return bytes.length === 21 && bytes[0] === ADDRESS_PREFIX;
  } catch {
    return false;
  }
}

/**
 * Writes 20 bytes of hex, or 21 with TRON's 41 in front, as an address. Event logs lack the 41.
 * @throws RangeError for anything else
 */
export function addressFromHex(hex: string): string {
  const match = ADDRESS_HEX.exec(hex);
  if (!match) throw new RangeError('An address has 20 bytes of hex, or 21 that begin with 41.');
  return addressOf(hexToBytes(match[1]!.toLowerCase()));
}

/**
 * The deposit address m/44'/195'/0'/0/index, which the owner's wallet derives too.
 * @throws RangeError for an index that is no whole number from 0 to 2^31 - 1
 */
export function depositAddress(key: WatchOnlyKey, index: number): string {
  if (!Number.isInteger(index) || index < 0 || index >= HARDENED_OFFSET) {
    throw new RangeError(`An index of a deposit address is a whole number from 0 to ${HARDENED_OFFSET - 1}.`);
  }
  const point = secp256k1.Point.fromBytes(key.receiving.deriveChild(index).publicKey!);
  // The uncompressed form begins with a 04 that is not hashed.
  const digest = keccak_256(point.toBytes(false).subarray(1));
  return addressOf(digest.subarray(-20));
}

/** The 20 bytes of an address as hex, as event logs and their topics write them. */
export function hexOfAddress(address: string): string {
  return bytesToHex(base58check.decode(address).subarray(1));
}

function addressOf(bytes: Uint8Array): string {
  return base58check.encode(concatBytes(Uint8Array.of(ADDRESS_PREFIX), bytes));
}
