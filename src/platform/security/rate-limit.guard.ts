import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { currentContext } from '../http/request-context';
import { allowanceHeaders, rateLimited, RateLimiter } from './limits/rate-limiter';

/** Counts the call in the class that its policy names and tells the caller where it stands. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const context = currentContext();
    const allowance = context.policy && (await this.limiter.count(context.policy.limit, context));
    if (!allowance) return true;
    void execution.switchToHttp().getResponse<FastifyReply>().headers(allowanceHeaders(allowance));
    if (allowance.exceeded) throw rateLimited(allowance);
    return true;
  }
}
