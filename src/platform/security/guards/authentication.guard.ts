import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PolicyRegistry } from '../../http/policy-registry';
import { Problem, type ProblemCode } from '../../http/problem';
import { currentContext, type RequestContext } from '../../http/request-context';
import { KEY_DIRECTORY, type KeyDirectory, type KeyRecord } from '../key-directory';
import { inAnyCidr } from '../network/address-rules';
import { checkPerson } from '../person-rules';
import { allowanceHeaders, rateLimited, RateLimiter } from '../limits/rate-limiter';
import { SESSION_DIRECTORY, type SessionDirectory, type SessionRecord } from '../session-directory';

const KEY_FORM = /^cpg_(test|live)_[A-Za-z0-9]{40}$/;
const BEARER_FORM = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
const INACTIVE = 'This client is not active in this mode. Ask the operator of the gateway.';

/** Finds out who calls: reads the route's policy, and the key or access token that it asks for. Refuses by saying as little as possible. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly policies: PolicyRegistry,
    @Inject(KEY_DIRECTORY) private readonly keys: KeyDirectory,
    @Inject(SESSION_DIRECTORY) private readonly sessions: SessionDirectory,
    private readonly limiter: RateLimiter,
  ) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const context = currentContext();
    context.policy = this.policies.of(execution.getClass(), execution.getHandler());
    const { access, roles } = context.policy;
    if (access === 'public' || access === 'provider') return true;
    const { headers } = execution.switchToHttp().getRequest<FastifyRequest>();
    const { 'x-api-key': key, authorization } = headers;
    if (key !== undefined && authorization !== undefined) return this.refuse(context, 'unauthenticated', 'Send an API key or an access token, not both.');
    // A token at a route for keys alone is looked at too: who has signed in is told that it is not open to them, not to sign in again.
    if (access === 'api_key' && (key !== undefined || (!roles && authorization === undefined))) return this.byKey(context, key);
    return this.byToken(context, authorization, headers['x-livemode']);
  }

  private byKey(context: RequestContext, presented: unknown): boolean | Promise<boolean> {
    if (typeof presented !== 'string' || !KEY_FORM.test(presented)) return this.refuse(context, 'unauthenticated', expected(context));
    context.reauthenticate = async () => {
      await this.admitKey(context, await this.keys.find(presented));
    };
    const cached = this.keys.cached(presented);
    if (!cached) return this.keys.find(presented).then((record) => this.admitKey(context, record));
    return this.admitKey(context, cached);
  }

  private admitKey(context: RequestContext, record: KeyRecord | undefined): boolean | Promise<boolean> {
    if (!record || record.revokedAt || (record.expiresAt && record.expiresAt.getTime() <= Date.now())) {
      return this.refuse(context, 'unauthenticated', expected(context));
    }
    if (record.clientStatus !== 'active' || (record.access.livemode && !record.liveEnabled)) return this.refuse(context, 'client_inactive', INACTIVE);
    if (record.allowedIps.length > 0 && !(context.ip && inAnyCidr(context.ip, record.allowedIps))) {
      return this.refuse(context, 'ip_not_allowed', 'This key may not be used from this address.');
    }
    context.access = record.access;
    context.key = record.access;
    context.actor = { type: 'api_key', id: record.access.keyId };
    this.keys.used(record.access);
    return true;
  }

  private byToken(context: RequestContext, authorization: string | undefined, livemode: unknown): boolean | Promise<boolean> {
    const token = BEARER_FORM.exec(authorization ?? '')?.[1];
    if (!token) return this.refuse(context, 'unauthenticated', expected(context));
    context.reauthenticate = async () => {
      await this.admitPerson(context, await this.sessions.find(token), livemode);
      // What was read again may be another role than the one that was let in.
      if (context.policy && context.session) checkPerson(context.policy, context.session);
    };
    const cached = this.sessions.cached(token);
    if (!cached) return this.sessions.find(token).then((record) => this.admitPerson(context, record, livemode));
    return this.admitPerson(context, cached, livemode);
  }

  private admitPerson(context: RequestContext, record: SessionRecord | 'expired' | undefined, livemode: unknown): boolean | Promise<boolean> {
    if (record === 'expired') return this.refuse(context, 'token_expired', 'This access token has expired. Get a new one with your refresh token.');
    if (!record) return this.refuse(context, 'unauthenticated', expected(context));
    const { session, client } = record;
    context.session = session;
    context.actor = { type: 'person', id: session.personId };
    this.sessions.used(session, context.ip);
    if (!client) return true;
    const book = livemode === undefined || livemode === 'false' ? client.test : livemode === 'true' ? client.live : undefined;
    if (!book) return this.refuse(context, 'malformed_request', 'X-Livemode is true or false; without it you see your test data.');
    if (client.status === 'active' && (!book.livemode || client.liveEnabled)) context.access = book;
    // What is a person's own stays theirs while the client is suspended: above all ending a session that was stolen.
    else if (context.policy?.access !== 'person' || context.policy.roles) return this.refuse(context, 'client_inactive', INACTIVE);
    else context.access = undefined;
    return true;
  }

  /** Guessing keys, and knocking with one that is shut out, is counted by address, in the budget of callers without a key. */
  private async refuse(context: RequestContext, code: ProblemCode, detail: string): Promise<never> {
    const allowance = await this.limiter.count('anonymous', context);
    if (allowance?.exceeded) throw rateLimited(allowance);
    // RFC 6750, 3: the answer names the scheme that would have been accepted.
    const scheme: Record<string, string> = context.policy?.access === 'api_key' && !context.policy.roles ? {} : { 'www-authenticate': 'Bearer' };
    throw new Problem(code, detail, { headers: { ...(code.startsWith('client') ? {} : scheme), ...(allowance && allowanceHeaders(allowance)) } });
  }
}

/** What the route would have accepted. */
function expected({ policy }: RequestContext): string {
  if (policy?.access !== 'api_key') return 'Send a valid access token as Authorization: Bearer ….';
  return policy.roles ? 'Send a valid API key in the X-API-Key header, or an access token as Authorization: Bearer ….' : 'Send a valid API key in the X-API-Key header.';
}
