import { type CanActivate, Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings';
import { NotFoundProblem, Problem } from '../http/problem';
import { currentContext } from '../http/request-context';

/** Checks that the key may do what the policy names, and hides test-only routes from live keys. */
@Injectable()
export class ScopeGuard implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  canActivate(): boolean {
    const { policy, access } = currentContext();
    if (!policy || !access) return true;
    if (policy.mode === 'test' && (access.livemode || !this.settings.simulationEnabled)) throw new NotFoundProblem('address');
    if (policy.scope && !access.scopes.includes(policy.scope)) {
      throw new Problem('scope_missing', `This key lacks the scope ${policy.scope}.`);
    }
    return true;
  }
}
