import { Injectable } from '@nestjs/common';
import { type CurrencyCode, isCurrency } from '../../money/currency';
import { AmountError, formatAmount, parseAmount } from '../../money/money';
import { constraintOf, SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { placeOf, SecondFactorCodes } from '../two-factor/second-factor-codes';
import { type Decision, verifyDecision } from './admin-signature';
import type { DecisionBody, SignedHeaders } from './decisions.dto';

/** What is decided on, as it is in the database now. */
export interface DecisionSubject {
  clientId: string;
  livemode: boolean;
  id: string;
  /** The person or key that asked for it; that one never decides. */
  requestedBy: string;
  revision: bigint;
  amountMinor: bigint;
  currency: CurrencyCode;
  /** Whole; empty where there is none. */
  destination: string;
}

/** Reads rows, inside a transaction or outside of one. */
export type Query = <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>;

export interface DecisionSteps<Subject extends DecisionSubject, T> {
  /** Reads the subject, locked where asked; throws when there is none or when its state allows no decision. Called before the code is used up and again in the transaction. */
  load: (query: Query, lock: boolean) => Promise<Subject>;
  /** What the decision brings about, in its transaction. `voices`: how many persons have now taken it. */
  apply: (tx: Tx, subject: Subject, decided: { voices: number; personId: string }) => Promise<T>;
  /** What the person says in support of it. */
  evidence?: string;
}

interface Proof {
  signature: string;
  signedAt: Date;
  publicKey: string;
}

const KEY = 'select signing_public_key as key from people where id = $1';
const EARLIER = `select 1 from decisions where client_id = $1 and livemode = $2 and subject_id = $3 and person_id = $4
   and (decision = $5 or ($5 in ('approve', 'reject') and decision in ('approve', 'reject')))`;
/** The key is looked at once more by the statement that writes: one that was replaced meanwhile signs nothing. */
const INSERT = `
  with person as (select id from people where id = $4 and signing_public_key = $12), written as (
    insert into decisions (client_id, livemode, subject_id, person_id, decision, requested_by, revision, amount_minor, currency, destination, evidence,
                           public_key, signature, signed_at)
    select $1, $2, $3, id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 from person returning 1)
  select (select count(*) from written) as written,
         (select count(*) from decisions where client_id = $1 and livemode = $2 and subject_id = $3 and decision = $5)
           + (select count(*) from written) as voices`;

/**
 * Takes decisions of people about money: signed with the person's own key over exactly what was shown, bound to a second factor that is
 * used up by it, never by whoever asked, never twice. The database refuses the same once more (table decisions).
 */
@Injectable()
export class SignedDecisions {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly codes: SecondFactorCodes,
  ) {}

  /**
   * Checks everything, then writes the decision and what it brings about in one transaction.
   *
   * @throws Problem 401 for the signature, 403 `self_approval` and `two_factor_invalid`, 409 `stale_revision` for other words than
   *   the object's, 409 `state_conflict` for a person who has decided before.
   */
  async decide<Subject extends DecisionSubject, T>(
    decision: Decision, objectId: string, headers: SignedHeaders, body: DecisionBody, steps: DecisionSteps<Subject, T>,
  ): Promise<T> {
    const { personId } = currentSession();
    const look: Query = (sql, values = []) => this.unitOfWork.read('', sql, values);
    await check(look, await steps.load(look, false), decision, body, personId);
    const proof = await this.proofOf(decision, objectId, headers, body, personId);
    const owner = await this.codes.factorOf(personId);
    if (!owner) throw new Problem('unauthenticated', 'Log in again.');
    return this.codes.use(owner, body.totp_code, async (tx) => {
      const query: Query = (sql, values) => tx.query(sql, values);
      const subject = await steps.load(query, true);
      await check(query, subject, decision, body, personId);
      const voices = await write(tx, subject, decision, body, proof, steps.evidence);
      return steps.apply(tx, subject, { voices, personId });
    }, placeOf(currentSession()));
  }

  /** Checks a person's signature alone, for a proposal that somebody else has to decide on. */
  async proofOf(decision: Decision, objectId: string, headers: SignedHeaders, body: DecisionBody, personId: string): Promise<Proof> {
    const [person] = await this.unitOfWork.read<{ key: string | null }>('get_signing_key', KEY, [personId]);
    if (!person?.key) throw new Problem('forbidden', 'You have no signing key. Set one first: POST /v1/auth/signing-key.');
    return { ...verifyDecision(decision, objectId, headers, body, person.key), publicKey: person.key };
  }
}

/** 409 unless the words are those of the object as it is now. */
export function refuseOtherWords(subject: DecisionSubject, body: DecisionBody): void {
  const { revision, amountMinor, currency, destination } = subject;
  const now = { revision: Number(revision), amount: formatAmount(amountMinor, currency), currency, destination };
  const wrong = (Object.keys(now) as (keyof typeof now)[]).filter((word) => body[word] !== now[word]);
  if (wrong.length > 0) throw new Problem('stale_revision', `Not as it is now: ${wrong.join(', ')}. Read it again, then decide.`);
}

/** In this order: who must never decide, who has decided already, and what is not what it was. */
async function check(query: Query, subject: DecisionSubject, decision: Decision, body: DecisionBody, personId: string): Promise<void> {
  if (subject.requestedBy === personId) throw new Problem('self_approval', 'You asked for this yourself. Somebody else has to decide.');
  const { clientId, livemode, id } = subject;
  const earlier = await query<object>(EARLIER, [clientId, livemode, id, personId, decision]);
  if (earlier.length > 0) throw new Problem('state_conflict', 'You have decided on this already. Somebody else has to.');
  refuseOtherWords(subject, body);
}

/** Writes the words that were signed, not those of the object: the database compares the two once more. */
async function write(
  tx: Tx, subject: DecisionSubject, decision: Decision, body: DecisionBody, proof: Proof, evidence?: string,
): Promise<number> {
  const { clientId, livemode, id, requestedBy } = subject;
  const { revision, currency, destination } = body;
  const { personId } = currentSession();
  try {
    const [row] = await tx.query<{ written: string; voices: string }>(INSERT, [
      clientId, livemode, id, personId, decision, requestedBy, revision, signedMinor(body), currency, destination,
      evidence ?? null, proof.publicKey, proof.signature, proof.signedAt,
    ]);
    if (row!.written === '0') throw new Problem('signature_invalid', 'Your signing key was replaced meanwhile. Sign with the new one.');
    return Number(row!.voices);
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** The amount as it was signed, in minor units. */
function signedMinor({ amount, currency }: DecisionBody): string {
  try {
    if (isCurrency(currency)) return parseAmount(amount, currency).toString();
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
  }
  throw new Problem('stale_revision', 'Not as it is now: amount. Read it again, then decide.');
}

/** What the database says for the same reasons; it has the last word. */
function refusalOf(error: unknown): Problem | undefined {
  const state = sqlStateOf(error);
  const constraint = constraintOf(error);
  if (state === SQLSTATE.uniqueViolation) return new Problem('state_conflict', 'You have decided on this already. Somebody else has to.', { cause: error });
  if (state !== SQLSTATE.checkViolation) return undefined;
  if (constraint === 'decisions_four_eyes') return new Problem('self_approval', 'You asked for this yourself. Somebody else has to decide.', { cause: error });
  if (constraint === 'decisions_match_their_subject') return new Problem('stale_revision', 'It has changed meanwhile. Read it again, then decide.', { cause: error });
  return undefined;
}
