import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { countedAddress } from '../../platform/security/blocks/networks';
import { Attempts, type AttemptRuleName } from '../../platform/security/limits/attempts';
import { isStaff } from '../../platform/security/person-rules';
import { CAPTCHA, type CaptchaCheck } from '../captcha/captcha';
import { passesCaptcha } from '../captcha/passes-captcha';
import { accountDigest, SuspiciousActivity } from '../suspicious-activity';
import type { LoginPerson } from './login-people';

/** From this many failures of the address or the account on, a login must prove that it is no program. */
const FREE_FAILURES = 3;

export interface LoginTry {
  email: string;
  captcha?: string;
  /** Whoever has the e-mail, and whether the caller's device has logged in there before. */
  person?: LoginPerson;
  deviceHash?: string;
}

/**
 * Lets a login come as far as its password. Each try is counted as failed before it is looked at, so that many at once are not more
 * than the limit. Guessing at an account makes a CAPTCHA necessary there and locks nobody out: who solves it, or comes from a device
 * that is known, is counted apart from the strangers.
 */
@Injectable()
export class LoginAdmission {
  constructor(
    private readonly attempts: Attempts,
    @Inject(CAPTCHA) private readonly captcha: CaptchaCheck,
    private readonly suspicious: SuspiciousActivity,
  ) {}

  /** Answers what to call when the password was right. 403 `captcha_required`, or 429 with a growing `Retry-After`. */
  async admit(login: LoginTry): Promise<() => Promise<void>> {
    if (login.person?.knownDevice && login.deviceHash) {
      const device = `${login.person.id}:${login.deviceHash}`;
      await this.take('login_device', device);
      return () => this.attempts.forgive('login_device', device);
    }
    const ip = countedAddress(currentContext().ip);
    const account = accountDigest(login.email);
    const solved = await this.solvesCaptcha(login, ip, account);
    await this.take('login_ip', ip);
    const { allowed, retryAfterSeconds } = await this.attempts.take('login_account', account);
    if (!allowed && !solved) throw tooMany(retryAfterSeconds);
    return async () => {
      // A right password of one account must not wipe out what the address did to others.
      await this.attempts.giveBack('login_ip', ip);
      await this.attempts.forgive('login_account', account);
    };
  }

  private async solvesCaptcha({ person, captcha }: LoginTry, ip: string, account: string): Promise<boolean> {
    const [byIp, byAccount] = await Promise.all([this.attempts.failures('login_ip', ip), this.attempts.failures('login_account', account)]);
    if (captcha !== undefined && (await passesCaptcha(this.captcha, captcha))) return true;
    if (Math.max(byIp, byAccount) < FREE_FAILURES && captcha === undefined) return false;
    if (person && isStaff(person.role)) await this.suspicious.failedStaffLogin(person);
    throw new Problem('captcha_required', 'Solve a CAPTCHA first: GET /v1/auth/captcha, and send its solution as captcha. Each solution counts once.');
  }

  private async take(rule: AttemptRuleName, subject: string): Promise<void> {
    const { allowed, retryAfterSeconds } = await this.attempts.take(rule, subject);
    if (!allowed) throw tooMany(retryAfterSeconds);
  }
}

function tooMany(seconds: number): Problem {
  return new Problem('rate_limited', `Too many failed logins. Try again in ${seconds} s.`, { headers: { 'retry-after': String(seconds) } });
}
