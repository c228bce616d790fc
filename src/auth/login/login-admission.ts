import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { countedAddress } from '../../platform/security/blocks/networks';
import { Attempts } from '../../platform/security/limits/attempts';
import { LOGIN_RISK, type LoginRisk } from '../../platform/security/login-risk';
import { isStaff } from '../../platform/security/person-rules';
import { CAPTCHA, type CaptchaCheck } from '../captcha/captcha';
import { passesCaptcha } from '../captcha/passes-captcha';
import { accountDigest, SuspiciousActivity } from '../suspicious-activity';
import type { LoginPerson } from './login-people';

/** From this many failures of the address or the account on, a login must prove that it is no program. */
const FREE_FAILURES = 3;

/** A try that may go on to the password: it was right, or it could not be looked at. Without either it stays counted as failed. */
export interface Admitted {
  succeeded(): Promise<void>;
  withdrawn(): Promise<void>;
}

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
    @Inject(LOGIN_RISK) private readonly risk: LoginRisk,
  ) {}

  /** Answers what to say of the try in the end. 403 `captcha_required`, or 429 with a growing `Retry-After`. */
  async admit(login: LoginTry): Promise<Admitted> {
    const device = login.person?.knownDevice && login.deviceHash ? `${login.person.id}:${login.deviceHash}` : undefined;
    const admitted = device === undefined ? undefined : await this.byDevice(device);
    // A device that has used up its own tries has shown what it does with free ones.
    return admitted ?? this.asStranger(login, accountDigest(login.email), device === undefined ? 0 : FREE_FAILURES);
  }

  /** Whether somebody whose password was right may log in from here, by the fraud rules. */
  mayEnter({ id, knownDevice }: Pick<LoginPerson, 'id' | 'knownDevice'>): Promise<boolean> {
    return this.risk.admits({ personId: id, deviceKnown: knownDevice });
  }

  /** A device that has logged in before is counted by itself; when it has guessed too often, it is a stranger like all others. */
  private async byDevice(device: string): Promise<Admitted | undefined> {
    const { allowed } = await this.attempts.take('login_device', device);
    if (!allowed) return undefined;
    return {
      succeeded: () => this.attempts.forgive('login_device', device),
      withdrawn: () => this.attempts.giveBack('login_device', device),
    };
  }

  private async asStranger(login: LoginTry, account: string, before: number): Promise<Admitted> {
    const ip = countedAddress(currentContext().ip);
    const byIp = await this.attempts.take('login_ip', ip);
    if (!byIp.allowed) throw tooMany(byIp.retryAfterSeconds);
    const byAccount = await this.attempts.take('login_account', account);
    const withdrawn = async () => {
      await this.attempts.giveBack('login_ip', ip);
      if (byAccount.allowed) await this.attempts.giveBack('login_account', account);
    };
    // This try is among those of the address, and of the account unless that has had too many.
    const earlier = Math.max(before, byIp.failures - 1, byAccount.allowed ? byAccount.failures - 1 : byAccount.failures);
    await this.demandCaptcha(login, earlier).catch(async (error: unknown) => {
      await withdrawn();
      throw error;
    });
    return {
      withdrawn,
      // A right password of one account must not wipe out what the address did to others.
      succeeded: async () => {
        await this.attempts.giveBack('login_ip', ip);
        await this.attempts.forgive('login_account', account);
      },
    };
  }

  /** A try without the CAPTCHA that it needs has guessed nothing, and does not count. */
  private async demandCaptcha({ person, captcha }: LoginTry, earlierFailures: number): Promise<void> {
    if (captcha === undefined ? earlierFailures < FREE_FAILURES : await passesCaptcha(this.captcha, captcha)) return;
    if (person && isStaff(person.role)) await this.suspicious.failedStaffLogin(person);
    throw new Problem('captcha_required', 'Solve a CAPTCHA first: GET /v1/auth/captcha, and send its solution as captcha. Each solution counts once.');
  }
}

function tooMany(seconds: number): Problem {
  return new Problem('rate_limited', `Too many failed logins. Try again in ${seconds} s.`, { headers: { 'retry-after': String(seconds) } });
}
