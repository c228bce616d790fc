import { Problem } from '../http/problem';
import type { IdempotencyClaim } from '../http/request-context';
import { Envelope } from '../security/crypto/envelope';
import { IdempotentReplay } from './idempotent-replay';

/** What the SQL function claim_idempotency answers when the key was not free. */
export interface ClaimOutcome {
  outcome: 'in_progress' | 'mismatch' | 'replay';
  status?: number;
  body?: string;
  sealed?: boolean;
}

const place = (claim: IdempotencyClaim) => ({
  table: 'idempotency_keys',
  column: 'body',
  row: [claim.owner, claim.livemode, claim.route, claim.key].join(' '),
});

/** The claim as the SQL functions take it; with an answer where it is known before the change is written. */
export function claimParameter({ owner, ...claim }: IdempotencyClaim, answer?: { status: number; body: string }): string {
  return JSON.stringify({ client_id: owner, ...claim, ...answer });
}

/** Seals the answer of a route that shows a secret once, so that its replay does not keep the secret in clear. */
export function sealAnswer(envelope: Envelope, claim: IdempotencyClaim, body: string): string {
  return envelope.seal(body, place(claim));
}

/** Ends a request whose key was not free: the stored answer, 422 for another request, 409 for one still running. */
export function refuseClaim(outcome: ClaimOutcome, envelope: Envelope, claim: IdempotencyClaim): never {
  if (outcome.outcome === 'mismatch') {
    throw new Problem('idempotency_mismatch', 'This Idempotency-Key was used with another method, path or body. Use a new key for a new request.');
  }
  if (outcome.outcome === 'in_progress' || !outcome.status || outcome.body === undefined) {
    throw new Problem('idempotency_in_progress', 'A request with this Idempotency-Key is still running. Try again in a moment.', {
      headers: { 'retry-after': '1' },
    });
  }
  throw new IdempotentReplay(outcome.status, outcome.sealed ? envelope.open(outcome.body, place(claim)).toString('utf8') : outcome.body);
}
