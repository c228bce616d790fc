import type { FastifyRequest } from 'fastify';
import { sha256Hex } from './crypto/digests';

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes of the body as they came; nothing when there was none. */
    rawBody?: Buffer;
    bodyDigest?: string;
  }
}

const EMPTY = Buffer.alloc(0);

/** Lower-case hex SHA-256 of the raw body, of nothing when empty; computed once for each request. */
export function bodyDigest(request: FastifyRequest): string {
  request.bodyDigest ??= sha256Hex(request.rawBody ?? EMPTY);
  return request.bodyDigest;
}
