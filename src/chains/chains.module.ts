import { Module } from '@nestjs/common';
import { AddressLook } from './address-look';
import { AddressWatcher } from './address-watcher';
import { ChainArrivals } from './chain-arrivals';
import { ChainHealth } from './chain-health';
import { ChainTransfers } from './chain-transfers';
import { CHAIN_VIEW, chainViewProvider } from './chain-view.provider';
import { DepositAddressBook } from './deposit-address-book';
import { WatchedAddresses } from './watched-addresses';

/** What arrives on chains: addresses to pay to, and the watch over them. It knows nothing of payments. */
@Module({
  providers: [
    chainViewProvider,
    AddressLook, AddressWatcher, ChainArrivals, ChainHealth, ChainTransfers, DepositAddressBook, WatchedAddresses,
  ],
  exports: [CHAIN_VIEW, AddressLook, AddressWatcher, ChainArrivals, ChainHealth, ChainTransfers, DepositAddressBook, WatchedAddresses],
})
export class ChainsModule {}
