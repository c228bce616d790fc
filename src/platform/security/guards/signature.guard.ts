import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { mustBeSigned } from '../../http/policy';
import { Problem } from '../../http/problem';
import { currentContext } from '../../http/request-context';
import { constantTimeEqualHex, hmacSha256 } from '../crypto/digests';
import { bodyDigest } from '../request-digest';

const TOLERANCE_SECONDS = 300;
const TIMESTAMP_FORM = /^[0-9]{1,12}$/;
const SIGNATURE_FORM = /^v1=[0-9a-f]{64}$/;

/**
 * Checks the merchant's signature: HMAC-SHA256 with the key's signing secret over five lines (time, method, path with query,
 * idempotency key, SHA-256 of the raw body), within five minutes of now in both directions.
 */
@Injectable()
export class SignatureGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { policy, key } = currentContext();
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    if (!policy || !key || !mustBeSigned(policy, request.method)) return true;
    const { 'x-timestamp': timestamp, 'x-signature': signature } = request.headers;
    if (typeof timestamp !== 'string' || typeof signature !== 'string') {
      throw new Problem('signature_invalid', 'Sign this call: send X-Timestamp and X-Signature.');
    }
    if (!TIMESTAMP_FORM.test(timestamp) || !SIGNATURE_FORM.test(signature)) {
      throw new Problem('signature_invalid', 'X-Timestamp is unix seconds and X-Signature is v1= and 64 lower-case hex digits.');
    }
    const expected = hmacSha256(key.signingSecret, signedText(request, timestamp));
    if (!constantTimeEqualHex(expected, signature.slice(3))) {
      throw new Problem('signature_invalid', 'X-Signature does not match this time, method, path, idempotency key and body.');
    }
    if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
      throw new Problem('signature_expired', `X-Timestamp is more than ${TOLERANCE_SECONDS} s from the gateway's clock.`);
    }
    return true;
  }
}

function signedText(request: FastifyRequest, timestamp: string): string {
  const idempotencyKey = request.headers['idempotency-key'] ?? '';
  return [timestamp, request.method, request.originalUrl, idempotencyKey, bodyDigest(request)].join('\n');
}
