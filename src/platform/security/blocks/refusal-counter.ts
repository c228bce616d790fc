import { Inject, Injectable, Logger } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import type { Problem } from '../../http/problem';
import type { RequestContext } from '../../http/request-context';
import { AddressBlocker } from './address-blocker';
import { networkOf } from './networks';
import { RefusalFactors } from './refusal-factors';

const WINDOW_MS = 5 * 60_000;
const TOO_MANY = 100;
/** What a prober collects: no key, not allowed, not there, too fast. A wrong field is an honest mistake. */
const COUNTED: ReadonlySet<number> = new Set([401, 403, 404, 429]);

/** Counts refusals by address, on all instances together where they share their counters; the hundredth in five minutes blocks. */
@Injectable()
export class RefusalCounter {
  private readonly logger = new Logger(RefusalCounter.name);

  constructor(
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    private readonly factors: RefusalFactors,
    private readonly blocker: AddressBlocker,
  ) {}

  /**
   * Counts a refusal before it is answered. Only the one that makes a block waits for the database, so that the next call already meets
   * the block. Never throws: a failure is logged and changes nothing of the answer.
   */
  async count({ status, code }: Problem, { ip, fromThisMachine }: RequestContext): Promise<void> {
    const network = COUNTED.has(status) && code !== 'ip_blocked' && !fromThisMachine && ip ? networkOf(ip) : undefined;
    if (!network || !ip) return;
    try {
      const { totalHits } = await this.storage.increment(`refusals:${network}`, WINDOW_MS, TOO_MANY, 0, 'refusals');
      this.factors.learn(network, totalHits, WINDOW_MS);
      if (totalHits >= TOO_MANY) await this.blocker.block(ip, 'refusals', `${TOO_MANY} refusals in ${WINDOW_MS / 60_000} minutes`);
    } catch (error) {
      this.logger.error({ err: error, msg: `could not count a refusal of ${network}` });
    }
  }
}
