import { HARDENED_OFFSET, HDKey } from '@scure/bip32';

/** The depth of m/44'/195'/0' (SLIP-44 gives TRON the coin type 195). */
const ACCOUNT_DEPTH = 3;

/** What people paste by mistake: an extended private key, a bare private key, a recovery phrase. */
const PRIVATE_SHAPES = [/^[a-z]prv/i, /^(?:0x)?[0-9a-f]{64}$/i, /^(?:[a-z]+\s+){11,23}[a-z]+$/i];

/** The public key below which all deposit addresses are. It can receive and never spend. */
export interface WatchOnlyKey {
  /** m/44'/195'/0'/0. */
  readonly receiving: HDKey;
}

/**
 * Reads the extended public key of an account (xpub at m/44'/195'/0', BIP-32). Answers `private` for what looks like a private
 * key or a recovery phrase, correct or not, so that nobody leaves one in the settings; undefined for everything else.
 */
export function readWatchOnlyKey(text: string): WatchOnlyKey | 'private' | undefined {
  const trimmed = text.trim();
  if (PRIVATE_SHAPES.some((shape) => shape.test(trimmed))) return 'private';
  try {
    const account = HDKey.fromExtendedKey(trimmed);
    if (account.privateKey !== null) return 'private';
    // The master key's own xpub would derive addresses as well, and no wallet would look for them there.
    if (account.depth !== ACCOUNT_DEPTH || account.index < HARDENED_OFFSET) return undefined;
    return { receiving: account.deriveChild(0) };
  } catch {
    return undefined;
  }
}
