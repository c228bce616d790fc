import { randomInt } from 'node:crypto';
import type { Tx } from '../../platform/database/unit-of-work';
import { newId } from '../../platform/identifiers';
import { Person } from './person.entity';

/** Digits and letters that nobody takes for another: no 0 and o, no 1, i and l. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
const CODE_LENGTH = 10;

export type NewPerson = Pick<Person, 'clientId' | 'email' | 'role' | 'passwordHash'>
  & Partial<Pick<Person, 'id' | 'referredBy' | 'signingPublicKey'>>;

const INSERT = `
  insert into people (id, client_id, email, role, status, password_hash, referral_code, referred_by, signing_public_key)
  values ($1, $2, $3, $4, case when $5::text is null then 'invited' else 'active' end, $5, $6, $7, $8)
      on conflict do nothing
  returning id`;

/**
 * Writes a person down: active with a password, invited without one. Undefined when somebody active has the address, or when the same
 * crowd has invited it already; of two at once one gets it.
 */
export async function insertPerson(tx: Tx, person: NewPerson): Promise<Person | undefined> {
  const { id = newId('usr'), clientId, email, role, passwordHash, referredBy = null, signingPublicKey = null } = person;
  const made = await tx.query(INSERT, [id, clientId, email, role, passwordHash, newReferralCode(), referredBy, signingPublicKey]);
  return made.length > 0 ? tx.manager.findOneByOrFail(Person, { id }) : undefined;
}

/** Easy to read out, and of 31^10 so many that no two people get the same. */
function newReferralCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
