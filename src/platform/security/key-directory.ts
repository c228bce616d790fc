import type { KeyAccess } from '../http/request-context';

/** A key as it stands in the book, whether or not it still opens anything. */
export interface KeyRecord {
  access: KeyAccess;
  clientStatus: 'active' | 'suspended' | 'closed';
  liveEnabled: boolean;
  allowedIps: readonly string[];
  expiresAt: Date | null;
  revokedAt: Date | null;
}

/** Finds keys; the clients room registers itself here. */
export interface KeyDirectory {
  /** From memory, when the key was read in the last two seconds: good enough to read with. */
  cached(presentedKey: string): KeyRecord | undefined;
  /** From the database, in one query; undefined when there is no such key. */
  find(presentedKey: string): Promise<KeyRecord | undefined>;
  /** Notes that a key was used; costs no write now. */
  used(access: KeyAccess): void;
}
export const KEY_DIRECTORY = Symbol('KEY_DIRECTORY');
