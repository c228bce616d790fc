import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PolicyRegistry } from '../http/policy-registry';
import { Problem, type ProblemCode } from '../http/problem';
import { currentContext, type RequestContext } from '../http/request-context';
import { KEY_DIRECTORY, type KeyDirectory, type KeyRecord } from './key-directory';
import { inAnyCidr } from './network/address-rules';
import { allowanceHeaders, rateLimited, RateLimiter } from './rate-limiter';

const KEY_FORM = /^cpg_(test|live)_[A-Za-z0-9]{40}$/;
const UNKNOWN = 'Send a valid API key in the X-API-Key header.';

/** Finds out who calls: reads the route's policy, and the key where the policy asks for one. Refuses by saying as little as possible. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly policies: PolicyRegistry,
    @Inject(KEY_DIRECTORY) private readonly keys: KeyDirectory,
    private readonly limiter: RateLimiter,
  ) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const context = currentContext();
    context.policy = this.policies.of(execution.getClass(), execution.getHandler());
    if (context.policy.access !== 'api_key') return true;
    const presented = execution.switchToHttp().getRequest<FastifyRequest>().headers['x-api-key'];
    if (typeof presented !== 'string' || !KEY_FORM.test(presented)) return this.refuse(context, 'unauthenticated', UNKNOWN);
    context.reauthenticate = async () => {
      await this.admit(context, await this.keys.find(presented));
    };
    const cached = this.keys.cached(presented);
    if (!cached) return this.keys.find(presented).then((record) => this.admit(context, record));
    return this.admit(context, cached);
  }

  private admit(context: RequestContext, record: KeyRecord | undefined): boolean | Promise<boolean> {
    if (!record || record.revokedAt || (record.expiresAt && record.expiresAt.getTime() <= Date.now())) {
      return this.refuse(context, 'unauthenticated', UNKNOWN);
    }
    if (record.clientStatus !== 'active' || (record.access.livemode && !record.liveEnabled)) {
      return this.refuse(context, 'client_inactive', 'This client is not active in this mode. Ask the operator of the gateway.');
    }
    if (record.allowedIps.length > 0 && !(context.ip && inAnyCidr(context.ip, record.allowedIps))) {
      return this.refuse(context, 'ip_not_allowed', 'This key may not be used from this address.');
    }
    context.access = record.access;
    context.actor = { type: 'api_key', id: record.access.keyId };
    this.keys.used(record.access);
    return true;
  }

  /** Guessing keys, and knocking with one that is shut out, is counted by address, in the budget of callers without a key. */
  private async refuse(context: RequestContext, code: ProblemCode, detail: string): Promise<never> {
    const allowance = await this.limiter.count('anonymous', context);
    if (allowance?.exceeded) throw rateLimited(allowance);
    throw new Problem(code, detail, { headers: allowance && allowanceHeaders(allowance) });
  }
}
