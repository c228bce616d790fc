import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import type { StaffRole } from '../../platform/http/roles';
import { newId } from '../../platform/identifiers';
import { Envelope } from '../../platform/security/crypto/envelope';
import { AccountMail } from '../account-mail';
import { PasswordHasher } from '../passwords/password-hasher';
import { endSessions } from '../sessions/own-sessions';
import { newTotpSecret } from '../two-factor/totp';
import { totpSecretPlace } from '../two-factor/second-factor-codes';
import { insertPerson } from './new-person';
import { bookOf } from './person-presenter';

/** A new member of the staff, with secrets that are shown once. */
export interface NewStaff {
  personId: string;
  email: string;
  password: string;
  /** Base 32, for an authenticator. */
  totpSecret: string;
  /** The private half of the Ed25519 key that signs decisions: PKCS#8 in DER (RFC 8410), in base64. It is kept nowhere. */
  signingPrivateKey: string;
}

const TAKEN = 'Somebody has this e-mail address already.';
const SET_FACTOR = `
  update people set totp_secret = $2, totp_enabled_at = now(), totp_last_step = 0, totp_pending = null, revision = revision + 1, updated_at = now()
   where id = $1`;

/** What the operator does at the command line for people who cannot help themselves. */
@Injectable()
export class PeopleRegistry {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly hasher: PasswordHasher,
    private readonly envelope: Envelope,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /** Makes an active member of the staff whose second factor is on. 409 when somebody has the address. */
  async createStaff({ email, role }: { email: string; role: StaffRole }): Promise<NewStaff> {
    const personId = newId('usr');
    const password = randomBytes(18).toString('base64url');
    const totpSecret = newTotpSecret();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    // The last 32 bytes of the DER form are the key itself (RFC 8410, 4).
    const signingPublicKey = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
    const passwordHash = await this.hasher.hash(password);
    await this.unitOfWork.run(async (tx) => {
      const person = await insertPerson(tx, { id: personId, clientId: null, email, role, passwordHash, signingPublicKey });
      if (!person) throw new Problem('state_conflict', TAKEN);
      await tx.query(SET_FACTOR, [personId, this.envelope.seal(totpSecret, totpSecretPlace(personId))]);
      await this.audit.record(tx, undefined, { kind: 'staff.created', objectId: personId, after: { email, role } });
    });
    return { personId, email, password, totpSecret, signingPrivateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64') };
  }

  /**
   * Gives somebody a new second factor in the place of the one that was lost: the backup codes are void, all sessions end, and a mail
   * tells the person. 404 when nobody active has the address.
   */
  async resetTwoFactor(email: string): Promise<{ personId: string; email: string; totpSecret: string }> {
    const totpSecret = newTotpSecret();
    const personId = await this.unitOfWork.run(async (tx) => {
      const [person] = await tx.query<{ id: string; clientId: string | null }>(
        `select id, client_id as "clientId" from people where email = $1 and status = 'active' for update`, [email],
      );
      if (!person) throw new NotFoundProblem('person');
      await tx.query(SET_FACTOR, [person.id, this.envelope.seal(totpSecret, totpSecretPlace(person.id))]);
      await tx.query('delete from backup_codes where person_id = $1', [person.id]);
      await endSessions(tx, person.id);
      await this.audit.record(tx, bookOf(person), { kind: 'two_factor.reset', objectId: person.id });
      await this.mail.secondFactorReset(tx, email);
      return person.id;
    });
    return { personId, email, totpSecret };
  }
}
