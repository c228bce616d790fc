import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ProblemCode } from './problem';
import type { LimitClass } from '../security/limits';

const AREAS = ['payments', 'refunds', 'withdrawals', 'balances', 'customers', 'packages', 'webhooks', 'keys', 'settings', 'anomalies'] as const;
export type Scope = `${(typeof AREAS)[number]}:${'read' | 'write'}`;
/** Every scope there is, in the order in which they are shown. */
export const SCOPES: readonly Scope[] = AREAS.flatMap((area) => [`${area}:read`, `${area}:write`] as const);

/**
 * What one route demands and promises, whole. The guards, the audit log and the OpenAPI document read it and nothing else;
 * a route without a policy stops the start-up.
 */
export interface RoutePolicy {
  /** Who may call: a merchant's key, a provider with its own signature (checked by the handler's source), or anybody. */
  access: 'api_key' | 'provider' | 'public';
  /** What a key must be allowed to do. Required for access by key. */
  scope?: Scope;
  /** Which mode's keys may call; without it both. */
  mode?: 'test';
  /** Which limit counts the call. */
  limit: LimitClass;
  /** What the audit log says of a success; null for routes that only read. */
  audit: string | null;
  /** One line for people: what the call does. */
  summary: string;
  /** The status of a success: 201 creates, 204 has no body; default 200. */
  status?: 200 | 201 | 204;
  /** The schema of a successful answer; null for answers that are not JSON. */
  answer: z.ZodType | null;
  /** The answer holds a secret that is shown once: its stored copy for replays is sealed. */
  secretAnswer?: boolean;
  /** Refusals of this route's own, beside those that its access, body and limits imply. */
  problems?: readonly ProblemCode[];
}

export const POLICY_KEY = 'cpgateway:policy';

/** Calls by key that change something carry a signature. */
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
  const status = policy.status ?? 200;
  return applyDecorators(
    SetMetadata(POLICY_KEY, policy),
    HttpCode(status),
    ApiOperation({ summary: policy.summary }),
    ApiExtension('x-policy', { access: policy.access, scope: policy.scope, limit: policy.limit, mode: policy.mode }),
    ApiResponse({
      status,
      description: policy.summary,
      ...(policy.answer && status !== 204 ? { standardSchema: policy.answer } : {}),
    }),
  );
}
