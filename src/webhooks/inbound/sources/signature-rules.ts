import { constantTimeEqualHex, hmacSha256 } from '../../../platform/security/crypto/digests';
import type { SignedDelivery, VerificationFailure, Verified } from './inbound-source';

/** How far a signature's time may lie from ours, in the past and in the future. */
const TOLERANCE_SECONDS = 300;

/** Eleven digits reach past the year 5000 and stay exact. */
const UNIX_SECONDS = /^[1-9]\d{0,10}$/;

/** 32 bytes as lower-case hex. */
const HEX_DIGEST = /^[0-9a-f]{64}$/;

/** What a signing scheme puts into its headers, still as text. */
export interface Claim {
  readonly timestamp: string;
  readonly signatures: readonly string[];
}

/**
 * The value of a header that may come once only; undefined when it is absent or empty. Node.js joins repeated headers
 * with a comma and a space, which no signature contains, so that a repeated one fails its own form.
 */
export function headerOf(headers: SignedDelivery['headers'], name: string): string | undefined {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(', ') : value) || undefined;
}

/**
 * Checks a claim over `timestamp.rawBody` (HMAC-SHA256, hex) against every secret: first its form, then its age, then the
 * signature. What is stale is refused before any digest is computed, and nothing is decoded whose form is wrong.
 */
export function checkClaim(claim: Claim, { rawBody, nowSeconds, secrets }: SignedDelivery): Verified {
  const candidates = claim.signatures.filter((signature) => HEX_DIGEST.test(signature));
  if (!UNIX_SECONDS.test(claim.timestamp) || candidates.length === 0) {
    return refused('signature_malformed');
  }
  if (Math.abs(nowSeconds - Number(claim.timestamp)) > TOLERANCE_SECONDS) {
    return refused('timestamp_out_of_window');
  }
  const signed = Buffer.concat([Buffer.from(`${claim.timestamp}.`), rawBody]);
  // An empty secret would be one that everybody knows.
  const digests = secrets.filter((secret) => secret !== '').map((secret) => hmacSha256(secret, signed));
  const isGenuine = digests.some((digest) => candidates.some((candidate) => constantTimeEqualHex(digest, candidate)));
  return isGenuine ? { ok: true } : refused('signature_mismatch');
}

/** The refusal with its reason. */
export function refused(failure: VerificationFailure): Verified {
  return { ok: false, failure };
}
