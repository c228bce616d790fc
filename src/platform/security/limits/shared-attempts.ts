import type { OnModuleDestroy } from '@nestjs/common';
import { type AttemptStore, type AttemptRule, FORGET_MS, MAX_FAILURES, MAX_WAIT_MS } from './attempts';
import { MemoryAttempts } from './memory-attempts';
import type { RedisLink } from './redis-link';

/** The failed attempts at all instances together, kept in Redis; while that is away each instance counts in its own memory. */
export class SharedAttempts implements AttemptStore, OnModuleDestroy {
  private readonly memory: MemoryAttempts;

  /** Without a clock it is Redis' own that counts. */
  constructor(
    private readonly link: Pick<RedisLink, 'ask'>,
    private readonly clock?: () => number,
  ) {
    this.memory = new MemoryAttempts(clock);
  }

  take(key: string, rule: AttemptRule) {
    return this.link.ask(
      async (redis) => {
        const [allowed, failures, waitMs] = await redis.attemptTake(nameOf(key), ...this.argumentsOf(rule), MAX_WAIT_MS, MAX_FAILURES);
        return { allowed: allowed === 1, failures, waitMs };
      },
      () => this.memory.take(key, rule),
    );
  }

  giveBack(key: string, rule: AttemptRule): Promise<void> {
    return this.link.ask(
      async (redis) => void (await redis.attemptGiveBack(nameOf(key), ...this.argumentsOf(rule))),
      () => this.memory.giveBack(key, rule),
    );
  }

  async forgive(key: string): Promise<void> {
    // Also what was counted here while Redis was away: a later outage must not bring it back.
    await this.memory.forgive(key);
    await this.link.ask(async (redis) => void (await redis.del(nameOf(key))), () => undefined);
  }

  failures(key: string, rule: AttemptRule): Promise<number> {
    return this.link.ask((redis) => redis.attemptFailures(nameOf(key), ...this.argumentsOf(rule)), () => this.memory.failures(key, rule));
  }

  onModuleDestroy(): void {
    this.memory.onModuleDestroy();
  }

  private argumentsOf({ limit, windowMs }: AttemptRule): (string | number)[] {
    return [windowMs, limit, this.clock?.() ?? '', FORGET_MS];
  }
}

function nameOf(key: string): string {
  return `attempts:${key}`;
}
