import { type CanActivate, Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings';
import type { RoutePolicy } from '../../http/policy';
import { NotFoundProblem, Problem } from '../../http/problem';
import { type BookAccess, currentContext } from '../../http/request-context';
import { checkPerson } from '../person-rules';

/** Checks that the caller may do what the policy names: a key by its scopes, a person by role; and hides test-only routes from live books. */
@Injectable()
export class ScopeGuard implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  canActivate(): boolean {
    const { policy, access, session } = currentContext();
    if (!policy) return true;
    if (session) checkPerson(policy, session);
    if (access) this.checkBook(policy, access);
    return true;
  }

  private checkBook(policy: RoutePolicy, access: BookAccess): void {
    if (policy.mode === 'test' && (access.livemode || !this.settings.simulationEnabled)) throw new NotFoundProblem('address');
    if (policy.scope && !access.scopes.includes(policy.scope)) {
      throw new Problem('scope_missing', `This key lacks the scope ${policy.scope}.`);
    }
  }
}
