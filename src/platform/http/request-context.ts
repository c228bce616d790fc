import { AsyncLocalStorage } from 'node:async_hooks';
import type { RoutePolicy } from './policy';

/** Who acts: a merchant's key, a provider whose webhook was verified, an operator at the command line, or the gateway itself. */
export interface Actor {
  type: 'api_key' | 'provider' | 'operator' | 'system' | 'person';
  id?: string;
}

/** What an authenticated key opens. The revisions are checked again by every statement that changes something. */
export interface KeyAccess {
  clientId: string;
  keyId: string;
  livemode: boolean;
  keyRevision: string;
  clientRevision: string;
  scopes: readonly string[];
  rateMultiplier: number;
  feeBps: number;
  clientSettings: Readonly<Record<string, unknown>>;
  /** The signing secret, opened; it stays in memory only. */
  signingSecret: string;
}

/** The claim that a POST lays to its `Idempotency-Key`. */
export interface IdempotencyClaim {
  route: string;
  key: string;
  fingerprint: string;
}

/** Everything the gateway knows about the request that it is serving; one for each request or job. */
export interface RequestContext {
  requestId: string;
  ip?: string;
  userAgent?: string;
  apiVersion?: string;
  method?: string;
  /** The route's pattern, such as `/v1/payments/:id`; never the raw path. */
  route?: string;
  policy?: RoutePolicy;
  actor?: Actor;
  access?: KeyAccess;
  claim?: IdempotencyClaim;
  /** Reads the key again past every cache; refuses when it no longer opens anything. */
  reauthenticate?: () => Promise<void>;
  startedAt: number;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the request or job under way. Throws outside of one: code that needs it has been called from nowhere. */
export function currentContext(): RequestContext {
  const context = storage.getStore();
  if (!context) throw new Error('There is no request context here; enter one with runInContext().');
  return context;
}

/** The context, or nothing: for the logger, which also speaks outside of requests. */
export function contextIfAny(): RequestContext | undefined {
  return storage.getStore();
}

/** Runs a function, and everything it awaits, in the given context. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** The authenticated key of this request; routes for keys have one by the time their handler runs. */
export function currentAccess(): KeyAccess {
  const { access } = currentContext();
  if (!access) throw new Error('This route has no authenticated key; its policy must say access: "api_key".');
  return access;
}
