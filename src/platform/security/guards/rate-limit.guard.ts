import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { RoutePolicy } from '../../http/policy';
import { currentContext } from '../../http/request-context';
import { LIMITS, type RouteLimitClass } from '../limits/limits';
import { allowanceHeaders, rateLimited, RateLimiter } from '../limits/rate-limiter';

/** Counts the call in the class that its policy names and tells the caller where it stands. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const { policy } = currentContext();
    if (policy) await countCall(this.limiter, classOf(policy), execution);
    return true;
  }
}

/** Counts the call under way in a class, writes the headers of its allowance, and refuses it with 429 when that is used up. */
export async function countCall(limiter: RateLimiter, name: RouteLimitClass, execution: ExecutionContext): Promise<void> {
  const allowance = await limiter.count(name, currentContext());
  if (!allowance) return;
  void execution.switchToHttp().getResponse<FastifyReply>().headers(allowanceHeaders(allowance));
  if (allowance.exceeded) throw rateLimited(allowance);
}

/** What a client shares is counted later, by the ClientBudgetGuard; until the caller is let in, the call is one like any other. */
function classOf({ limit }: RoutePolicy): RouteLimitClass {
  return LIMITS[limit].countedBy === 'client' ? 'key' : limit;
}
