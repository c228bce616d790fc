import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../platform/config/settings';
import { readWatchOnlyKey, type WatchOnlyKey } from '../platform/config/watch-only-key';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { depositAddress } from './tron/tron-address';

/** A fresh address, and where the owner's wallet finds it: m/44'/195'/0'/0/index. */
export interface DepositAddress {
  address: string;
  index: number;
}

/** Makes an address for each payment, below a key that can receive and never spend. An index is given out once. */
@Injectable()
export class DepositAddressBook {
  private readonly key?: WatchOnlyKey;

  constructor(
    @Inject(SETTINGS) { tron }: Settings,
    private readonly unitOfWork: UnitOfWork,
  ) {
    const key = readWatchOnlyKey(tron.watchOnlyKey ?? '');
    // An address that nobody can watch is not given to anybody.
    if (typeof key === 'object' && tron.sources.length > 0) this.key = key;
  }

  /** Whether there are addresses to be had: the operator has set the key and where the chain is read. */
  get isOpen(): boolean {
    return this.key !== undefined;
  }

  /** The next address. One round trip. */
  async next(): Promise<DepositAddress> {
    if (!this.key) throw new Error('There is no key to make deposit addresses from.');
    const [row] = await this.unitOfWork.read<{ index: string }>(
      'next_deposit_address', `select nextval('deposit_address_index') as index`, [],
    );
    const index = Number(row!.index);
    return { address: depositAddress(this.key, index), index };
  }
}
