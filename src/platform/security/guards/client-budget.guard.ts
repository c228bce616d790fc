import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { currentContext } from '../../http/request-context';
import { LIMITS } from '../limits/limits';
import { RateLimiter } from '../limits/rate-limiter';
import { countCall } from './rate-limit.guard';

/**
 * Counts what all keys and people of a client share, once the caller has been let in: nobody who may not make keys can use up the
 * number of keys that the client may make in an hour.
 */
@Injectable()
export class ClientBudgetGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const { policy } = currentContext();
    if (policy && LIMITS[policy.limit].countedBy === 'client') await countCall(this.limiter, policy.limit, execution);
    return true;
  }
}
