import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Sweeper } from '../platform/jobs/sweeper';
import { CHAIN_VIEW } from './chain-view.provider';
import { ChainUnavailable, type ChainView } from './tron/chain-view';

const SWEEP = 'chains.head';
const EVERY_MS = 15_000;
/** TRON makes a block every three seconds. */
const STALE_AFTER_MS = 2 * 60_000;

/** Tells how fresh the view of the chain is. */
@Injectable()
export class ChainHealth implements OnApplicationBootstrap {
  /** The time of the newest block that was seen. */
  private headAt?: Date;

  constructor(
    @Inject(CHAIN_VIEW) private readonly view: ChainView | undefined,
    private readonly sweeper: Sweeper,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.view) return;
    this.sweeper.every(SWEEP, EVERY_MS, () => this.check());
    this.sweeper.poke(SWEEP);
  }

  /** `degraded`: no block of the last two minutes has been seen, because too few sources answer or because they lag. */
  get state(): 'unused' | 'ok' | 'degraded' {
    if (!this.view) return 'unused';
    return this.headAt && Date.now() - this.headAt.getTime() < STALE_AFTER_MS ? 'ok' : 'degraded';
  }

  /** Looks at the newest block; the view reports the sources that do not answer. */
  async check(): Promise<false> {
    try {
      this.headAt = (await this.view!.head()).at;
    } catch (error) {
      if (!(error instanceof ChainUnavailable)) throw error;
    }
    return false;
  }
}
