import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem';
import { currentContext, type RequestContext } from '../../http/request-context';
import { hasFreshFactor } from '../person-rules';
import { SECOND_FACTOR, type SecondFactor } from '../second-factor';

/**
 * Sensitive acts of people need a second factor that was entered in this session in the last five minutes, or a code with the request
 * itself. A client's person without a second factor has none to enter; staff without one do not come this far.
 */
@Injectable()
export class StepUpGuard implements CanActivate {
  constructor(@Inject(SECOND_FACTOR) private readonly secondFactor: SecondFactor) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const context = currentContext();
    if (context.policy?.stepUp !== true || !context.session?.twoFactorEnabled) return true;
    // A call that is sent again brings the code that made the session fresh the first time: it is not asked for twice.
    if (hasFreshFactor(context.session) || (await this.isFreshAfterAll(context))) return true;
    const code = execution.switchToHttp().getRequest<FastifyRequest>().headers['x-totp-code'];
    if (typeof code === 'string' && code !== '') {
      await this.secondFactor.confirm(code);
      return true;
    }
    throw new Problem('two_factor_required', 'Enter a code of your second factor for this: send it as X-TOTP-Code, or at POST /v1/auth/2fa/step-up first.');
  }

  /** Memory may be two seconds older than the code that was just entered on another instance. */
  private async isFreshAfterAll(context: RequestContext): Promise<boolean> {
    await context.reauthenticate?.();
    return hasFreshFactor(context.session);
  }
}
