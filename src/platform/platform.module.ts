import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ThrottlerModule, type ThrottlerStorage } from '@nestjs/throttler';
import { PolicyRegistry } from './http/policy-registry';
import { ProblemFilter } from './http/problem.filter';
import { RouteTable } from './http/route-table';
import { CleanIdempotencyKeys } from './idempotency/clean-idempotency-keys';
import { JobQueue } from './jobs/job-queue';
import { Sweeper } from './jobs/sweeper';
import { Mailer } from './mail/mail';
import { SendMailJob } from './mail/send-mail.job';
import { Metrics } from './observability/metrics';
import { SummarySections } from './observability/summary-sections';
import { Outbox } from './outbox/outbox';
import { ProviderEvents } from './providers/provider-event';
import { AddressBlocker } from './security/blocks/address-blocker';
import { AddressGate } from './security/blocks/address-gate';
import { BlockList } from './security/blocks/block-list';
import { RefusalCounter } from './security/blocks/refusal-counter';
import { RefusalFactors } from './security/blocks/refusal-factors';
import { LimitFactors } from './security/limits/limit-factors';
import { LimitsModule, WINDOW_STORAGE } from './security/limits/limits.module';
import { RateLimiter } from './security/limits/rate-limiter';
import { TestClock } from './test-clock/test-clock';

/** What every feature stands on. It knows none of them. */
@Global()
@Module({
  imports: [
    DiscoveryModule,
    LimitsModule,
    ThrottlerModule.forRootAsync({
      imports: [LimitsModule],
      inject: [WINDOW_STORAGE],
      useFactory: (storage: ThrottlerStorage) => ({ throttlers: [], storage }),
    }),
  ],
  providers: [
    PolicyRegistry, RouteTable, ProblemFilter, JobQueue, Sweeper, Outbox, Mailer, SendMailJob, ProviderEvents, RateLimiter, CleanIdempotencyKeys,
    BlockList, AddressBlocker, AddressGate, RefusalCounter, RefusalFactors, LimitFactors,
    TestClock, Metrics, SummarySections,
  ],
  exports: [
    PolicyRegistry, RouteTable, ProblemFilter, JobQueue, Sweeper, Outbox, Mailer, ProviderEvents, RateLimiter, LimitsModule, ThrottlerModule,
    BlockList, AddressBlocker, LimitFactors, TestClock, Metrics, SummarySections,
  ],
})
export class PlatformModule {}
