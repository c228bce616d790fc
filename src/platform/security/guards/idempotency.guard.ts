import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { mustBeSigned, needsIdempotencyKey, type RoutePolicy } from '../../http/policy';
import { Problem } from '../../http/problem';
import { currentContext, type RequestContext } from '../../http/request-context';
import { sha256Hex } from '../crypto/digests';
import { bodyDigest } from '../request-digest';

/** 1–255 visible ASCII characters. Two headers reach us joined by ", ", whose space refuses them. */
const KEY_FORM = /^[\x21-\x7e]{1,255}$/;

/**
 * Reads the idempotency key where the policy asks for one; the key is claimed later, in the transaction of the change. On PATCH and
 * DELETE the signature, which has been checked by now, is the key: who sends the same signed call again changes nothing again.
 */
@Injectable()
export class IdempotencyGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const context = currentContext();
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    if (!context.policy || !takesKeys(context.policy, request.method)) return true;
    const key = context.key ? keyOfMerchant(context.policy, request) : keyOfPerson(request);
    const owner = context.key?.clientId ?? context.session?.personId;
    if (key === undefined || owner === undefined) return true;
    context.claim = {
      owner,
      livemode: context.access?.livemode ?? false,
      route: `${request.method} ${request.routeOptions.url}`,
      key,
      fingerprint: sha256Hex([request.method, request.originalUrl, bodyDigest(request), ...holderOf(context)].join('\n')),
    };
    return true;
  }
}

/** An answer with a secret is for the key that asked for it; to another of the client's keys the same request is a different one. */
function holderOf({ policy, key }: RequestContext): string[] {
  return policy?.secretAnswer && key ? [key.keyId] : [];
}

function takesKeys(policy: RoutePolicy, method: string): boolean {
  return mustBeSigned(policy, method) || policy.idempotent === true;
}

function keyOfMerchant(policy: RoutePolicy, request: FastifyRequest): string {
  return needsIdempotencyKey(policy, request.method) ? keyOf(request) : String(request.headers['x-signature']);
}

/** People click; they may send a key, and their programs should. */
function keyOfPerson(request: FastifyRequest): string | undefined {
  return request.headers['idempotency-key'] === undefined ? undefined : keyOf(request);
}

function keyOf({ headers }: FastifyRequest): string {
  const key = headers['idempotency-key'];
  if (key === undefined || key === '') {
    throw new Problem('idempotency_key_missing', 'Send an Idempotency-Key header: a new value for each new request, the same for a repetition.');
  }
  if (typeof key !== 'string' || !KEY_FORM.test(key)) {
    throw new Problem('idempotency_key_invalid', 'Send one Idempotency-Key of 1 to 255 visible ASCII characters.');
  }
  return key;
}
