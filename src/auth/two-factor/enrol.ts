import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { Envelope } from '../../platform/security/crypto/envelope';
import { Attempts } from '../../platform/security/limits/attempts';
import { bookOf } from '../people/person-presenter';
import { endSessions } from '../sessions/own-sessions';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { newBackupCodes } from './backup-codes';
import { qrCodes } from './qr-code';
import { totpSecretPlace } from './second-factor-codes';
import { acceptedStep, newTotpSecret, otpauthUri } from './totp';
import type { BackupCodesAnswer, EnrolmentAnswer } from './two-factor.dto';

const ISSUER = 'CPGateway';
const OFFER = `
  with offered as (
    update people set totp_pending = $2, updated_at = now() where id = $1 and totp_enabled_at is null returning 1)
  select 1 from offered`;
const ENABLE = `
  with enabled as (
    update people set totp_secret = $3, totp_enabled_at = now(), totp_last_step = $4, totp_pending = null, revision = revision + 1, updated_at = now()
     where id = $1 and totp_pending = $2 and totp_enabled_at is null returning 1)
  select 1 from enabled`;
const ALREADY = 'You have a second factor already. Disable it first, or ask an operator to reset it.';

/** Sets up a second factor: a secret is offered, and counts only once a first code has proved that it arrived. */
@Injectable()
export class Enrol {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelope: Envelope,
    private readonly attempts: Attempts,
    private readonly sessions: SessionDirectoryService,
    private readonly audit: AuditLog,
  ) {}

  /** Offers a new secret; an earlier offer is void. 409 when there is a second factor already. */
  async offer(): Promise<EnrolmentAnswer> {
    const { personId, email } = currentSession();
    const secret = newTotpSecret();
    await this.unitOfWork.run(async (tx) => {
      const offered = await tx.query(OFFER, [personId, this.envelope.seal(secret, totpSecretPlace(personId, 'totp_pending'))]);
      if (offered.length === 0) throw new Problem('state_conflict', ALREADY);
    });
    const uri = otpauthUri(secret, email, ISSUER);
    const { png, svg } = await qrCodes(uri);
    return { secret, otpauth_uri: uri, qr_png: png, qr_svg: svg };
  }

  /**
   * Turns the second factor on and answers the backup codes. The person's other sessions, which were opened without it, end.
   * 403 for a wrong code, 409 when nothing was offered.
   */
  async verify(code: string): Promise<BackupCodesAnswer> {
    const { personId, sessionId, clientId } = currentSession();
    const [row] = await this.unitOfWork.read<{ pending: string | null }>('get_pending_totp', 'select totp_pending as pending from people where id = $1', [personId]);
    if (!row?.pending) throw new Problem('state_conflict', 'There is nothing to verify. Start with POST /v1/auth/2fa/enroll.');
    const { pending } = row;
    const secret = this.envelope.open(pending, totpSecretPlace(personId, 'totp_pending')).toString('utf8');
    const step = await this.stepOf(personId, secret, code);
    const answer = await this.unitOfWork.run(async (tx) => {
      const enabled = await tx.query(ENABLE, [personId, pending, this.envelope.seal(secret, totpSecretPlace(personId)), step]);
      if (enabled.length === 0) throw new Problem('state_conflict', ALREADY);
      await endSessions(tx, personId, { except: sessionId });
      await tx.query('update sessions set second_factor_at = now() where id = $1', [sessionId]);
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'two_factor.enabled', objectId: personId });
      return replaceBackupCodes(tx, personId);
    });
    this.sessions.forget(personId);
    return answer;
  }

  private async stepOf(personId: string, secret: string, code: string): Promise<number> {
    const { allowed, retryAfterSeconds } = await this.attempts.take('second_factor', personId);
    if (!allowed) {
      throw new Problem('rate_limited', `Too many wrong codes. Try again in ${retryAfterSeconds} s.`, { headers: { 'retry-after': String(retryAfterSeconds) } });
    }
    const step = await acceptedStep(secret, code, 0);
    if (step === undefined) throw new Problem('two_factor_invalid', 'This code is not valid. Enter the one that your authenticator shows now.');
    await this.attempts.forgive('second_factor', personId);
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
