import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { SETTINGS, type Settings } from '../config/settings';
import { Problem } from '../http/problem';
import type { RequestContext } from '../http/request-context';
import { LIMITS, type LimitClass } from './limits';

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

/** Counts calls against the table of limits, in whatever storage the throttler was given. */
@Injectable()
export class RateLimiter {
  constructor(
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Counts one call of the context's caller; undefined when limits are switched off. */
  async count(name: LimitClass, context: RequestContext): Promise<Allowance | undefined> {
    if (!this.settings.rateLimitingEnabled) return undefined;
    const { limit, windowMs, countedBy } = LIMITS[name];
    const byKey = countedBy === 'key' && context.access;
    // Only the shared budget grows with the tier: nobody needs a thousand new keys an hour.
    const scaled = byKey && name === 'key' ? limit * byKey.rateMultiplier : limit;
    const who = byKey ? byKey.keyId : (context.ip ?? 'unknown');
    const record = await this.storage.increment(`${name}:${who}`, windowMs, scaled, 0, name);
    return {
      name,
      limit: scaled,
      windowMs,
      remaining: Math.max(0, scaled - record.totalHits),
      resetMs: record.timeToExpire * 1000,
      exceeded: record.isBlocked,
    };
  }
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
