import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { currentContext } from '../../http/request-context';
import { LIMITS } from '../limits/limits';
import { allowanceHeaders, rateLimited, RateLimiter } from '../limits/rate-limiter';

/**
 * Counts what all keys and people of a client share, once the caller has been let in: nobody who may not make keys can use up the
 * number of keys that the client may make in an hour.
 */
@Injectable()
export class ClientBudgetGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const context = currentContext();
    if (!context.policy || LIMITS[context.policy.limit].countedBy !== 'client') return true;
    const allowance = await this.limiter.count(context.policy.limit, context);
    if (!allowance) return true;
    void execution.switchToHttp().getResponse<FastifyReply>().headers(allowanceHeaders(allowance));
    if (allowance.exceeded) throw rateLimited(allowance);
    return true;
  }
}
