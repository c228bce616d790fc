import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { Attempts } from '../../platform/security/limits/attempts';
import { SuspiciousActivity } from '../suspicious-activity';
import { PasswordHasher } from './password-hasher';

/** Asks a signed-in person for the password again: a session that was stolen must not be enough for what matters. */
@Injectable()
export class PasswordCheck {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly attempts: Attempts,
    private readonly hasher: PasswordHasher,
    private readonly suspicious: SuspiciousActivity,
  ) {}

  /** 403 `forbidden` when it is wrong, 429 after five wrong ones. The session stays: a mistake is no reason to log in again. */
  async check(password: string): Promise<void> {
    const { personId, clientId, role, email } = currentSession();
    const subject = `password of ${personId}`;
    const { allowed, retryAfterSeconds } = await this.attempts.take('login_account', subject);
    if (!allowed) {
      throw new Problem('rate_limited', `Too many wrong passwords. Try again in ${retryAfterSeconds} s.`, { headers: { 'retry-after': String(retryAfterSeconds) } });
    }
    const [row] = await this.unitOfWork.read<{ hash: string | null }>('get_password_hash', 'select password_hash as hash from people where id = $1', [personId]);
    const isRight = await this.hasher.matches(password, row?.hash ?? null).catch(async (error: unknown) => {
      await this.attempts.giveBack('login_account', subject);
      throw error;
    });
    if (isRight) return this.attempts.forgive('login_account', subject);
    await this.suspicious.failedLogin(email, { id: personId, clientId, role });
    throw new Problem('forbidden', 'The current password is wrong.');
  }
}
