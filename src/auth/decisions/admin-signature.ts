import { createPublicKey, verify } from 'node:crypto';
import { Problem } from '../../platform/http/problem';
import type { DecisionBody, SignedHeaders } from './decisions.dto';

/** What a person can decide: on a withdrawal or a refund, that a bank payout was made or was not, that a payment was paid. */
export const DECISIONS = ['approve', 'reject', 'complete', 'fail', 'succeed'] as const;
export type Decision = (typeof DECISIONS)[number];

/** The words of a decision, in the order in which they are signed. */
export interface DecisionWords {
  /** Unix seconds, as text. */
  timestamp: string;
  decision: Decision;
  objectId: string;
  revision: string;
  /** With all decimals of its currency. */
  amount: string;
  currency: string;
  /** Whole; empty where the object has none. */
  destination: string;
}

const TOLERANCE_SECONDS = 300;
const TIMESTAMP_FORM = /^[0-9]{1,12}$/;
const SIGNATURE_FORM = /^ed25519=([A-Za-z0-9+/]{86}==)$/;
/** The fixed beginning of an Ed25519 public key in DER; the 32 bytes of the key follow (RFC 8410, 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The text that is signed: seven lines joined by `\n`, without one at the end. */
export function decisionText({ timestamp, decision, objectId, revision, amount, currency, destination }: DecisionWords): string {
  return [timestamp, decision, objectId, revision, amount, currency, destination].join('\n');
}

/**
 * Checks that the holder of a public key (32 bytes in base64) has signed these words within five minutes of now, in both directions,
 * and answers the signature (base64) and its time. Ed25519 as in RFC 8032.
 *
 * @throws Problem 401 `signature_invalid` or `signature_expired`.
 */
export function verifyDecision(
  decision: Decision, objectId: string, headers: SignedHeaders, body: DecisionBody, publicKey: string,
): { signature: string; signedAt: Date } {
  const { timestamp, signature: header } = headers;
  const [, signature] = SIGNATURE_FORM.exec(header ?? '') ?? [];
  if (timestamp === undefined || !TIMESTAMP_FORM.test(timestamp) || signature === undefined) {
    throw new Problem('signature_invalid', 'Sign this decision: X-Timestamp is unix seconds and X-Admin-Signature is ed25519= and 64 bytes in base64.');
  }
  const text = decisionText({ timestamp, decision, objectId, ...body, revision: String(body.revision) });
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, 'base64')]), format: 'der', type: 'spki' });
  if (!verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))) {
    throw new Problem('signature_invalid', 'X-Admin-Signature does not match the time, the decision, the object, its revision, amount, currency and destination.');
  }
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new Problem('signature_expired', `X-Timestamp is more than ${TOLERANCE_SECONDS} s from the gateway's clock. Sign again.`);
  }
  return { signature, signedAt: new Date(Number(timestamp) * 1000) };
}
