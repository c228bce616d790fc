import type { DecisionSubject, SignedDecisions } from '../../auth/decisions/signed-decisions';
import type { Tx } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import type { ForceSuccessBody } from './admin-payments.dto';

type Proof = Awaited<ReturnType<SignedDecisions['proofOf']>>;

/** The key is looked at once more by the statement that writes: one that was replaced meanwhile signs nothing. */
const UPSERT = `
  with person as (select id from people where id = $4 and signing_public_key = $13), written as (
    insert into payment_overrides (client_id, livemode, payment_id, requested_by, revision, amount_minor, currency, destination,
                                   provider, reference, reason, evidence, public_key, signature, signed_at)
    select $1, $2, $3, id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 from person
    on conflict (client_id, livemode, payment_id) do update
       set requested_by = excluded.requested_by, revision = excluded.revision, amount_minor = excluded.amount_minor,
           currency = excluded.currency, destination = excluded.destination, provider = excluded.provider, reference = excluded.reference,
           reason = excluded.reason, evidence = excluded.evidence, public_key = excluded.public_key, signature = excluded.signature,
           signed_at = excluded.signed_at, created_at = clock_timestamp()
    returning 1)
  select 1 from written`;

/** Keeps what a person has proposed and signed, in place of what was proposed before. */
export async function writeOverride(tx: Tx, subject: DecisionSubject, body: ForceSuccessBody, proof: Proof): Promise<void> {
  const { clientId, livemode, id, revision, amountMinor, currency, destination } = subject;
  const written = await tx.query(UPSERT, [
    clientId, livemode, id, currentSession().personId, revision.toString(), amountMinor.toString(), currency, destination,
    body.provider, body.reference, body.reason, body.evidence, proof.publicKey, proof.signature, proof.signedAt,
  ]);
  if (written.length === 0) throw new Problem('signature_invalid', 'Your signing key was replaced meanwhile. Sign with the new one.');
}
