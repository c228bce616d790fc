import { randomBytes } from 'node:crypto';
import { hmacSha256 } from '../../platform/security/crypto/digests';

/** The three headers that a receiver checks, see https://github.com/standard-webhooks/standard-webhooks. */
export interface StandardWebhookHeaders {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/** What is signed. */
export interface StandardWebhookMessage {
  /** The event's id: the same on every attempt, so that receivers can drop what they have seen. No dots. */
  readonly id: string;
  /** The moment of this attempt; receivers refuse what is older than five minutes. */
  readonly timestampSeconds: number;
  /** Exactly the bytes that will be sent. */
  readonly body: string | Buffer;
  /** `whsec_…`; while a secret is being rotated, the current one first and then the old one. */
  readonly secrets: readonly string[];
}

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const SECRET = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/;

/**
 * Signs one attempt with every secret given (Standard Webhooks 1.0.0, symmetric `v1`: HMAC-SHA256 over
 * `id.timestamp.body` with the decoded secret). Throws when a part could not be verified by any receiver.
 */
export function signStandardWebhook(message: StandardWebhookMessage): StandardWebhookHeaders {
  const { id, timestampSeconds, body, secrets } = message;
  if (!/^[\w-]+$/.test(id) || !Number.isSafeInteger(timestampSeconds) || secrets.length === 0) {
    throw new TypeError('A webhook needs an id without dots, a whole number of seconds and at least one secret.');
  }
  const signed = Buffer.concat([Buffer.from(`${id}.${timestampSeconds}.`), Buffer.from(body)]);
  const signatures = secrets.map((secret) => `v1,${hmacSha256(keyOf(secret), signed).toString('base64')}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  };
}

/** A new signing secret for an endpoint: `whsec_` and 32 random bytes in base64. */
export function newEndpointSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

function keyOf(secret: string): Buffer {
  const encoded = SECRET.exec(secret)?.[1];
  const key = Buffer.from(encoded ?? '', 'base64');
  if (key.length < 24 || key.length > 64) {
    throw new TypeError('A webhook secret must be whsec_ followed by 24 to 64 bytes in base64.');
  }
  return key;
}
