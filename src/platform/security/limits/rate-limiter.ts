import { Inject, Injectable, Optional } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { SETTINGS, type Settings } from '../../config/settings';
import { Problem } from '../../http/problem';
import type { RequestContext } from '../../http/request-context';
import { countedAddress } from '../blocks/networks';
import { Metrics } from '../../observability/metrics';
import { LimitFactors } from './limit-factors';
import { type CountedBy, type Limit, type LimitClass, LIMITS, type RouteLimitClass, type SubjectClass } from './limits';

/** Where a caller stands within a limit. */
export interface Allowance {
  name: LimitClass;
  limit: number;
  windowMs: number;
  remaining: number;
  /** Milliseconds until the window has room again. */
  resetMs: number;
  exceeded: boolean;
}

const SUBJECTS: Readonly<Record<Exclude<CountedBy, 'subject'>, (context: RequestContext) => string>> = {
  caller: callerOf,
  client: (context) => context.access?.clientId ?? context.session?.clientId ?? callerOf(context),
  person: (context) => context.session?.personId ?? callerOf(context),
  ip: addressOf,
};

/** Counts calls against the table of limits, in whatever storage the throttler was given. */
@Injectable()
export class RateLimiter {
  constructor(
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly metrics: Metrics,
    @Optional() private readonly factors?: LimitFactors,
  ) {}

  /**
   * Counts one call of the context's caller; undefined when limits are switched off. Where keys are counted, a person who has
   * signed in instead is counted in the class `person`, and is told so.
   */
  async count(name: RouteLimitClass, context: RequestContext): Promise<Allowance | undefined> {
    const counted = name === 'key' && !context.access?.keyId && context.session ? 'person' : name;
    return this.hit(counted, SUBJECTS[LIMITS[counted].countedBy](context), context);
  }

  /**
   * Counts one call for a subject that only the handler knows, such as a session or an account; undefined when limits are
   * switched off. The subject is part of a key in Redis: name it by its id, not by an e-mail address.
   */
  async countFor(name: SubjectClass, subject: string, context: RequestContext): Promise<Allowance | undefined> {
    return this.hit(name, subject, context);
  }

  private async hit(name: LimitClass, subject: string, context: RequestContext): Promise<Allowance | undefined> {
    if (!this.settings.rateLimitingEnabled) return undefined;
    const { windowMs } = LIMITS[name];
    const limit = this.limitOf(LIMITS[name], context);
    const record = await this.storage.increment(`${name}:${subject}`, windowMs, limit, 0, name);
    if (record.isBlocked) this.metrics.increment('cpgateway_rate_limit_exceeded_total', { limit: name, route: context.route ?? 'unknown' });
    return {
      name,
      limit,
      windowMs,
      remaining: Math.max(0, limit - record.totalHits),
      resetMs: record.timeToExpire * 1000,
      exceeded: record.isBlocked,
    };
  }

  /** Only the shared budgets move: nobody needs a thousand new keys an hour, and three registrations are few enough. */
  private limitOf({ limit, byTier, adaptive }: Limit, context: RequestContext): number {
    const scaled = byTier && context.access ? limit * context.access.rateMultiplier : limit;
    if (!adaptive || !this.factors) return scaled;
    return Math.max(1, Math.floor(scaled * this.factors.factor(context)));
  }
}

function callerOf(context: RequestContext): string {
  return context.access?.keyId ?? context.session?.personId ?? addressOf(context);
}

function addressOf({ ip }: RequestContext): string {
  return countedAddress(ip);
}

/**
 * The headers of an allowance: the widespread X- form, and RateLimit with its policy.
 * https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html
 */
export function allowanceHeaders({ name, limit, windowMs, remaining, resetMs }: Allowance, nowMs = Date.now()): Record<string, string> {
  const resetSeconds = Math.ceil(resetMs / 1000);
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil((nowMs + resetMs) / 1000)),
    ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`,
    'ratelimit-policy': `"${name}";q=${limit};w=${windowMs / 1000}`,
  };
}

/** 429 with `Retry-After` and the headers of the allowance, for a caller whose allowance is used up. */
export function rateLimited(allowance: Allowance): Problem {
  const seconds = Math.max(1, Math.ceil(allowance.resetMs / 1000));
  return new Problem('rate_limited', `The limit of ${allowance.limit} requests per ${allowance.windowMs / 1000} s is used up. Try again in ${seconds} s.`, {
    headers: { ...allowanceHeaders(allowance), 'retry-after': String(seconds) },
  });
}
