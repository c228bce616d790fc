import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Sweeper } from '../platform/jobs/sweeper';
import { AddressLook, type Looked } from './address-look';
import { CHAIN_VIEW } from './chain-view.provider';
import { inParallel } from './collections';
import { nextLookInMs, RETRY_MS } from './look-schedule';
import { ChainUnavailable, type ChainView } from './tron/chain-view';
import { type ClaimedAddress, WatchedAddresses } from './watched-addresses';

const SWEEP = 'chains.watch';
const SWEEP_EVERY_MS = 1_000;
/** Claimed and looked at together. */
const BATCH = 8;
/** Longer than a look takes with sources that answer slowly; a longer one is made twice, which is harmless. */
const LEASE_MS = 60_000;

/** Looks at each address whenever it is due, for as long as money may come. Several instances share the addresses. */
@Injectable()
export class AddressWatcher implements OnApplicationBootstrap {
  private readonly logger = new Logger(AddressWatcher.name);

  constructor(
    @Inject(CHAIN_VIEW) private readonly view: ChainView | undefined,
    private readonly sweeper: Sweeper,
    private readonly addresses: WatchedAddresses,
    private readonly addressLook: AddressLook,
  ) {}

  onApplicationBootstrap(): void {
    if (this.view) this.sweeper.every(SWEEP, SWEEP_EVERY_MS, () => this.sweep());
  }

  /** Looks at what is due; answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const due = await this.addresses.claim(BATCH, LEASE_MS);
    await inParallel(due, BATCH, (watched) => this.lookAt(watched));
    return due.length === BATCH;
  }

  /** Has an address looked at as soon as possible, named by itself or by its payment. Answers whether there is one. */
  async lookSoon(what: { address?: string; paymentId?: string }): Promise<boolean> {
    const isWatched = await this.addresses.makeDue(what);
    if (isWatched) this.sweeper.poke(SWEEP);
    return isWatched;
  }

  /** What cannot be finished now is tried again from where it stood; it keeps none of the other addresses. */
  private async lookAt(watched: ClaimedAddress): Promise<void> {
    let looked: Looked | undefined;
    try {
      looked = await this.addressLook.look(watched);
    } catch (error) {
      // Sources that do not answer have been reported where they were asked.
      if (!(error instanceof ChainUnavailable)) this.logFailure(error, `the look at ${watched.address} failed; will try again`);
    }
    try {
      await this.addresses.finish(watched, looked?.completeUntil, looked ? pauseAfter(looked) : RETRY_MS);
    } catch (error) {
      this.logFailure(error, `could not note the look at ${watched.address}; it is made again when its lease ends`);
    }
  }

  private logFailure(error: unknown, msg: string): void {
    this.logger.error({ err: error, msg });
  }
}

function pauseAfter({ completeUntil, closedAt, isWaiting }: Looked): number | undefined {
  if (!completeUntil) return RETRY_MS;
  return nextLookInMs(closedAt && !isWaiting ? Date.now() - closedAt.getTime() : undefined);
}
