import type { OnModuleDestroy } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { RedisLink } from './redis-link';
import { SlidingWindowStorage } from './sliding-window.storage';

/** The sliding windows of all instances together, kept in Redis; while that is away each instance counts in its own memory. */
export class SharedWindowStorage implements ThrottlerStorage, OnModuleDestroy {
  private readonly memory = new SlidingWindowStorage();

  constructor(private readonly link: RedisLink) {}

  increment(key: string, ttl: number, limit: number) {
    return this.link.ask(
      async (redis) => {
        const [refused, totalHits, waitMs] = await redis.windowHit(`limit:${key}`, ttl, limit);
        const timeToExpire = Number(waitMs) / 1000;
        return { totalHits, timeToExpire, isBlocked: refused === 1, timeToBlockExpire: refused === 1 ? timeToExpire : 0 };
      },
      () => this.memory.increment(key, ttl, limit),
    );
  }

  onModuleDestroy(): void {
    this.memory.onModuleDestroy();
  }
}
