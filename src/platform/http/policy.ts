import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ProblemCode } from './problem';
import type { RouteLimitClass } from '../security/limits/limits';
import { CLIENT_ROLES, type ClientRole, type Role } from './roles';

const AREAS = ['payments', 'refunds', 'withdrawals', 'balances', 'customers', 'packages', 'webhooks', 'keys', 'settings', 'anomalies'] as const;
export type Scope = `${(typeof AREAS)[number]}:${'read' | 'write'}`;
/** Every scope there is, in the order in which they are shown. */
export const SCOPES: readonly Scope[] = AREAS.flatMap((area) => [`${area}:read`, `${area}:write`] as const);

/**
 * What one route demands and promises, whole. The guards, the audit log and the OpenAPI document read it and nothing else;
 * a route without a policy stops the start-up.
 */
export interface RoutePolicy {
  /**
   * Who may call: a merchant's key (and, where `roles` says so, the client's people), any signed-in person, staff, a provider with its own
   * signature (checked by the handler's source), or anybody.
   */
  access: 'api_key' | 'person' | 'staff' | 'provider' | 'public';
  /** What a key must be allowed to do. Required for access by key. */
  scope?: Scope;
  /** Which people may call. Required for staff; for access by key: the roles of the client's people who need no key, default none. */
  roles?: readonly Role[];
  /**
   * A sensitive act: the person's second factor must have been entered in the last five minutes or come with the request as `X-TOTP-Code`.
   * `own`: the handler takes the code in the body and checks it itself.
   */
  stepUp?: true | 'own';
  /** Open to staff who have no second factor yet: what they need to get one, or to leave. */
  enrolment?: true;
  /**
   * For people and staff: they may send an `Idempotency-Key`, and a repetition gets the stored answer. What the handler's one change
   * answers must be what the route answers. Routes for keys are idempotent without it.
   */
  idempotent?: true;
  /** Which mode's keys may call; without it both. */
  mode?: 'test';
  /** Which limit counts the call. */
  limit: RouteLimitClass;
  /** What the audit log says of a success; null for routes that only read. */
  audit: string | null;
  /** One line for people: what the call does. */
  summary: string;
  /** The status of a success: 201 creates, 202 promises no more than that it was read, 204 has no body; default 200. */
  status?: 200 | 201 | 202 | 204;
  /** The schema of a successful answer; null for answers that are not JSON. */
  answer: z.ZodType | null;
  /** The answer holds a secret that is shown once: its stored copy for replays is sealed. */
  secretAnswer?: boolean;
  /** Refusals of this route's own, beside those that its access, body and limits imply. */
  problems?: readonly ProblemCode[];
}

/** The client's people who may read what its keys can read. */
export const READERS: readonly ClientRole[] = CLIENT_ROLES;
/** The client's people who may change its settings, keys and endpoints. Money moves by key only. */
export const MANAGERS: readonly ClientRole[] = ['owner', 'developer'];

export const POLICY_KEY = 'cpgateway:policy';

/** Calls by key that change something carry a signature; the tokens of people are not signed. */
export function mustBeSigned(policy: RoutePolicy, method: string): boolean {
  return policy.access === 'api_key' && method !== 'GET' && method !== 'HEAD';
}

/** POSTs by key carry an idempotency key; for PATCH and DELETE the signature stands in for it. */
export function needsIdempotencyKey(policy: RoutePolicy, method: string): boolean {
  return policy.access === 'api_key' && method === 'POST';
}

/** States the whole policy of the handler below it: guard, audit and documentation in one place. */
export function Policy(policy: RoutePolicy): MethodDecorator {
  if (policy.access === 'api_key' && !policy.scope) {
    throw new Error(`The policy "${policy.summary}" is for keys and names no scope.`);
  }
  if (policy.access === 'staff' && !policy.roles?.length) {
    throw new Error(`The policy "${policy.summary}" is for staff and names no role.`);
  }
  const status = policy.status ?? 200;
  return applyDecorators(
    SetMetadata(POLICY_KEY, policy),
    HttpCode(status),
    ApiOperation({ summary: policy.summary }),
    ApiExtension('x-policy', {
      access: policy.access, scope: policy.scope, roles: policy.roles, step_up: policy.stepUp !== undefined || undefined, limit: policy.limit,
      mode: policy.mode,
    }),
    ApiResponse({
      status,
      description: policy.summary,
      ...(policy.answer && status !== 204 ? { standardSchema: policy.answer } : {}),
    }),
  );
}
