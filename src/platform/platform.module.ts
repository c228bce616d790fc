import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { PolicyRegistry } from './http/policy-registry';
import { ProblemFilter } from './http/problem.filter';
import { RouteTable } from './http/route-table';
import { CleanIdempotencyKeys } from './idempotency/clean-idempotency-keys';
import { JobQueue } from './jobs/job-queue';
import { Sweeper } from './jobs/sweeper';
import { Outbox } from './outbox/outbox';
import { ProviderEvents } from './providers/provider-event';
import { RateLimiter } from './security/rate-limiter';
import { SlidingWindowStorage } from './security/sliding-window.storage';

/** What every feature stands on. It knows none of them. */
@Global()
@Module({
  imports: [
    DiscoveryModule,
    ThrottlerModule.forRootAsync({
      useFactory: () => ({ throttlers: [], storage: new SlidingWindowStorage() }),
    }),
  ],
  providers: [PolicyRegistry, RouteTable, ProblemFilter, JobQueue, Sweeper, Outbox, ProviderEvents, RateLimiter, CleanIdempotencyKeys],
  exports: [PolicyRegistry, RouteTable, ProblemFilter, JobQueue, Sweeper, Outbox, ProviderEvents, RateLimiter, ThrottlerModule],
})
export class PlatformModule {}
