import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { AccountMail } from '../account-mail';
import { PasswordCheck } from '../passwords/password-check';
import { PasswordHasher } from '../passwords/password-hasher';
import { refuseWeakPassword } from '../passwords/refuse-weak-password';
import { bookOf } from '../people/person-presenter';
import { endSessions } from '../sessions/own-sessions';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { endLinks } from '../tokens/one-time-tokens';
import { SecondFactorCodes } from '../two-factor/second-factor-codes';
import type { ChangedPassword, ChangePasswordBody } from './registration.dto';

const CHANGE = `
  with changed as (
    update people set password_hash = $2, revision = revision + 1, updated_at = now()
     where id = $1 and revision = $3 and status = 'active' returning 1)
  select 1 from changed`;

/** Gives the signed-in person a new password and ends all other sessions. */
@Injectable()
export class ChangePassword {
  constructor(
    private readonly passwords: PasswordCheck,
    private readonly hasher: PasswordHasher,
    private readonly codes: SecondFactorCodes,
    private readonly directory: SessionDirectoryService,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /** 403 for a wrong current password or code; 422 for a new one that is easily guessed; 409 when the account was changed meanwhile. */
  async change({ current_password: current, new_password: password, code }: ChangePasswordBody): Promise<ChangedPassword> {
    // Remembered before the password is checked: of two changes at once the later one was decided on a password that is gone.
    const { personId, personRevision, sessionId, clientId, email } = currentSession();
    refuseWeakPassword('new_password', password, [email]);
    await this.passwords.check(current);
    const hash = await this.hasher.hash(password);
    const answer = await this.codes.guard<ChangedPassword>(code, async (tx) => {
      if ((await tx.query(CHANGE, [personId, hash, personRevision])).length === 0) {
        throw new Problem('state_conflict', 'Your account was changed meanwhile. Try again.');
      }
      await endSessions(tx, personId, { except: sessionId });
      await endLinks(tx, personId, ['password_reset', 'email_change']);
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'password.changed', objectId: personId });
      await this.mail.passwordChanged(tx, email);
      return { status: 'changed' };
    });
    this.directory.forget(personId);
    return answer;
  }
}
