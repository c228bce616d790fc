import { Module } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings';
import { ATTEMPT_STORE, Attempts } from './attempts';
import { MemoryAttempts } from './memory-attempts';
import { RedisLink } from './redis-link';
import { SharedAttempts } from './shared-attempts';
import { SharedWindowStorage } from './shared-window.storage';
import { SlidingWindowStorage } from './sliding-window.storage';

/** Where calls are counted: `ThrottlerStorage` by the name under which the throttler is given it. */
export const WINDOW_STORAGE = Symbol('WINDOW_STORAGE');

/** Counters and back-off: in Redis for all instances together when one is set, or else in this instance's memory. */
@Module({
  providers: [
    RedisLink,
    Attempts,
    {
      provide: WINDOW_STORAGE,
      inject: [SETTINGS, RedisLink],
      useFactory: ({ redisUrl }: Settings, link: RedisLink) => (redisUrl ? new SharedWindowStorage(link) : new SlidingWindowStorage()),
    },
    {
      provide: ATTEMPT_STORE,
      inject: [SETTINGS, RedisLink],
      useFactory: ({ redisUrl }: Settings, link: RedisLink) => (redisUrl ? new SharedAttempts(link) : new MemoryAttempts()),
    },
  ],
  exports: [RedisLink, Attempts, WINDOW_STORAGE],
})
export class LimitsModule {}
