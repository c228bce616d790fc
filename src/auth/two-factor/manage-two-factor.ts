import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { isStaff } from '../../platform/security/person-rules';
import { AccountMail } from '../account-mail';
import { PasswordCheck } from '../passwords/password-check';
import { bookOf } from '../people/person-presenter';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { replaceBackupCodes } from './enrol';
import { SecondFactorCodes } from './second-factor-codes';
import type { BackupCodesAnswer, DisableBody, StatusAnswer, StepUpAnswer } from './two-factor.dto';

const FRESH_MS = 5 * 60_000;
const STATUS = `
  select p.totp_enabled_at as "enabledAt",
         (select count(*)::int from backup_codes b where b.person_id = p.id and b.used_at is null and p.totp_enabled_at is not null) as left
    from people p where p.id = $1`;
const DISABLE = `
  update people set totp_secret = null, totp_enabled_at = null, totp_pending = null, revision = revision + 1, updated_at = now() where id = $1`;

/** What a person does with the second factor that they have. */
@Injectable()
export class ManageTwoFactor {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly codes: SecondFactorCodes,
    private readonly passwords: PasswordCheck,
    private readonly sessions: SessionDirectoryService,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  async status(): Promise<StatusAnswer> {
    const [{ enabledAt, left }] = await this.unitOfWork.read<{ enabledAt: Date | null; left: number }>('get_two_factor', STATUS, [currentSession().personId]);
    return { object: 'two_factor', enabled: enabledAt !== null, enabled_at: enabledAt?.toISOString() ?? null, backup_codes_left: left };
  }

  /** Marks the session as fresh, so that sensitive acts of the next five minutes ask for no code. */
  async stepUp(code: string): Promise<StepUpAnswer> {
    this.refuseWithout();
    await this.codes.confirm(code);
    const at = currentSession().secondFactorAt!;
    return { object: 'step_up', second_factor_at: at.toISOString(), fresh_until: new Date(at.getTime() + FRESH_MS).toISOString() };
  }

  /** Ten new backup codes; the earlier ones stop working. */
  renewBackupCodes(code: string | undefined): Promise<BackupCodesAnswer> {
    this.refuseWithout();
    return this.codes.guard(code, async (tx) => {
      const { personId, clientId, email } = currentSession();
      const answer = await replaceBackupCodes(tx, personId);
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'two_factor.backup_codes_renewed', objectId: personId });
      await this.mail.secondFactorChanged(tx, email, 'Your account has new backup codes; the earlier ones no longer work.');
      return answer;
    });
  }

  /** Needs the password and a code. 403 for staff, whose role needs a second factor. */
  async disable({ password, code }: DisableBody): Promise<void> {
    const { personId, clientId, role, email } = currentSession();
    if (isStaff(role)) throw new Problem('forbidden', 'Your role needs a second factor. An operator can reset it when you have lost it.');
    this.refuseWithout();
    await this.passwords.check(password);
    await this.codes.guard(code, async (tx) => {
      await tx.query(DISABLE, [personId]);
      await tx.query('delete from backup_codes where person_id = $1', [personId]);
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'two_factor.disabled', objectId: personId });
      await this.mail.secondFactorChanged(tx, email, 'The second factor of your account was turned off.');
    });
    this.sessions.forget(personId);
  }

  private refuseWithout(): void {
    if (currentSession().twoFactorEnabled) return;
    throw new Problem('state_conflict', 'You have no second factor. Set one up with POST /v1/auth/2fa/enroll.');
  }
}
