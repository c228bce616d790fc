import { AsyncLocalStorage } from 'node:async_hooks';
import type { RoutePolicy } from './policy';
import type { Role } from './roles';

/** Who acts: a merchant's key, a provider whose webhook was verified, an operator at the command line, or the gateway itself. */
export interface Actor {
  type: 'api_key' | 'provider' | 'operator' | 'system' | 'person';
  id?: string;
}

/**
 * A book that the caller may use: one client in one mode, opened by a key or by one of the client's people. The revisions are checked
 * again by every statement that changes something.
 */
export interface BookAccess {
  clientId: string;
  livemode: boolean;
  clientRevision: string;
  scopes: readonly string[];
  rateMultiplier: number;
  feeBps: number;
  clientSettings: Readonly<Record<string, unknown>>;
  /** The key that opened it; absent when a person did. */
  keyId?: string;
}

/** What an authenticated key opens. */
export interface KeyAccess extends BookAccess {
  keyId: string;
  keyRevision: string;
  /** The signing secret, opened; it stays in memory only. */
  signingSecret: string;
}

/** A person who has signed in. The revision is checked again by every statement that changes something. */
export interface SessionAccess {
  sessionId: string;
  personId: string;
  personRevision: string;
  role: Role;
  email: string;
  /** The client that the person belongs to; null for staff. */
  clientId: string | null;
  twoFactorEnabled: boolean;
  /** When a second factor was last entered in this session. */
  secondFactorAt: Date | null;
}

/** The claim that a POST lays to its `Idempotency-Key`. */
export interface IdempotencyClaim {
  /** Whose key it is: a client in one mode, or a person, whose keys no colleague and no server of the client shares. */
  owner: string;
  livemode: boolean;
  route: string;
  key: string;
  fingerprint: string;
}

/** Everything the gateway knows about the request that it is serving; one for each request or job. */
export interface RequestContext {
  requestId: string;
  ip?: string;
  /** The call comes from this machine itself: loopback, and nothing says that it was passed on. */
  fromThisMachine?: boolean;
  userAgent?: string;
  apiVersion?: string;
  method?: string;
  /** The route's pattern, such as `/v1/payments/:id`; never the raw path. */
  route?: string;
  policy?: RoutePolicy;
  actor?: Actor;
  /** The book that the caller may use. */
  access?: BookAccess;
  /** The key that was presented, where one was. */
  key?: KeyAccess;
  /** The person who has signed in, where one has. */
  session?: SessionAccess;
  claim?: IdempotencyClaim;
  /** Reads the key or the session again past every cache; refuses when it no longer opens anything. */
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

/** The book that the caller may use; routes for keys and for a client's people have one by the time their handler runs. */
export function currentAccess(): BookAccess {
  const { access } = currentContext();
  if (!access) throw new Error('This route has no open book; its policy must say access: "api_key".');
  return access;
}

/** The person who has signed in; routes for people and staff have one by the time their handler runs. */
export function currentSession(): SessionAccess {
  const { session } = currentContext();
  if (!session) throw new Error('This route has no signed-in person; its policy must say access: "person" or "staff".');
  return session;
}
