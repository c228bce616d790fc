import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { Envelope } from '../../platform/security/crypto/envelope';
import { Attempts } from '../../platform/security/limits/attempts';
import { AccountMail } from '../account-mail';
import { bookOf } from '../people/person-presenter';
import { endSessions } from '../sessions/own-sessions';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { newBackupCodes } from './backup-codes';
import { placeOf, tooManyCodes, totpSecretPlace } from './second-factor-codes';
import { acceptedStep } from './totp';
import type { BackupCodesAnswer } from './two-factor.dto';

const ENABLE = `
  with enabled as (
    update people set totp_secret = $3, totp_enabled_at = now(), totp_last_step = $4, totp_pending = null, revision = revision + 1, updated_at = now()
     where id = $1 and totp_pending = $2 and totp_enabled_at is null returning 1)
  select 1 from enabled`;
const ALREADY = 'The offer is void: another one was made since, or verified. Start again with POST /v1/auth/2fa/enroll.';

/** Turns on a second factor that was offered, once a first code has proved that its secret arrived. */
@Injectable()
export class Enrol {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelope: Envelope,
    private readonly attempts: Attempts,
    private readonly sessions: SessionDirectoryService,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Turns the second factor on and answers the backup codes. The person's other sessions, which were opened without it, end.
   * 403 for a wrong code, 409 when nothing was offered.
   */
  async verify(code: string): Promise<BackupCodesAnswer> {
    const { personId, sessionId, clientId, email } = currentSession();
    const [row] = await this.unitOfWork.read<{ pending: string | null }>('get_pending_totp', 'select totp_pending as pending from people where id = $1', [personId]);
    if (!row?.pending) throw new Problem('state_conflict', 'There is nothing to verify. Start with POST /v1/auth/2fa/enroll.');
    const { pending } = row;
    const secret = this.envelope.open(pending, totpSecretPlace(personId, 'totp_pending')).toString('utf8');
    const step = await this.stepOf(secret, code);
    const answer = await this.unitOfWork.run(async (tx) => {
      const enabled = await tx.query(ENABLE, [personId, pending, this.envelope.seal(secret, totpSecretPlace(personId)), step]);
      if (enabled.length === 0) throw new Problem('state_conflict', ALREADY);
      await endSessions(tx, personId, { except: sessionId });
      await tx.query('update sessions set second_factor_at = now() where id = $1', [sessionId]);
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'two_factor.enabled', objectId: personId });
      await this.mail.secondFactorChanged(tx, email, 'The second factor of your account was turned on. Your other sessions have ended.');
      return replaceBackupCodes(tx, personId);
    });
    this.sessions.forget(personId);
    return answer;
  }

  private async stepOf(secret: string, code: string): Promise<number> {
    const place = placeOf(currentSession());
    const { allowed, retryAfterSeconds } = await this.attempts.take('second_factor', place);
    if (!allowed) throw tooManyCodes(retryAfterSeconds);
    const step = await acceptedStep(secret, code, 0);
    if (step === undefined) throw new Problem('two_factor_invalid', 'This code is not valid. Enter the one that your authenticator shows now.');
    await this.attempts.forgive('second_factor', place);
    return step;
  }
}

/** Puts ten new backup codes in the place of all earlier ones; the answer is the only copy in clear. */
export async function replaceBackupCodes(tx: Tx, personId: string): Promise<BackupCodesAnswer> {
  const { shown, hashes } = newBackupCodes();
  await tx.query('delete from backup_codes where person_id = $1', [personId]);
  await tx.query('insert into backup_codes (person_id, code_hash) select $1, unnest($2::text[])', [personId, hashes]);
  return { backup_codes: shown };
}
