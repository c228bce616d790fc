import { Inject, Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem, ValidationProblem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { countedAddress } from '../../platform/security/blocks/networks';
import { rateLimited, RateLimiter } from '../../platform/security/limits/rate-limiter';
import { AccountMail } from '../account-mail';
import { CAPTCHA, type CaptchaCheck } from '../captcha/captcha';
import { passesCaptcha } from '../captcha/passes-captcha';
import { PasswordHasher } from '../passwords/password-hasher';
import { refuseWeakPassword } from '../passwords/refuse-weak-password';
import { accountDigest } from '../suspicious-activity';
import { issueLink } from '../tokens/one-time-tokens';
import { ACCEPTED, type Accepted, type RegisterBody } from './registration.dto';

/** What is done when the address is confirmed. Until then there is neither a person nor a client. */
export interface PendingRegistration {
  email: string;
  passwordHash: string;
  clientName: string;
  referredBy: string | null;
}

const UNSOLVED = 'Solve a CAPTCHA first: GET /v1/auth/captcha, and send its solution as captcha. Each solution counts once.';
const REFERRER = "select id from people where referral_code = $1 and status <> 'removed'";
const TAKEN = "select 1 from people where email = $1 and status = 'active'";

/**
 * Takes a registration. The answer, and the time until it comes, are the same whoever has the address: what there is to say goes to
 * the address itself. Each registration keeps its own password until its own link is used, so nobody can set one for somebody else.
 */
@Injectable()
export class Register {
  constructor(
    @Inject(CAPTCHA) private readonly captcha: CaptchaCheck,
    private readonly hasher: PasswordHasher,
    private readonly limiter: RateLimiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly mail: AccountMail,
  ) {}

  /** 403 without a solved CAPTCHA; 429 for the fourth from an address in an hour; 422 for a password that is easily guessed, and for a referral code that nobody has. */
  async register({ email, password, captcha, client_name: name, referral_code: code }: RegisterBody): Promise<Accepted> {
    // What can be wrong with the form comes first: a solution counts once and should not be lost to a typing mistake.
    refuseWeakPassword('password', password, [email, name ?? '']);
    const referredBy = code === undefined ? null : await this.referrer(code);
    if (captcha === undefined || !(await passesCaptcha(this.captcha, captcha))) {
      throw new Problem('captcha_required', UNSOLVED);
    }
    // Counted here and not at the door: a typing mistake is no registration.
    const perAddress = await this.limiter.countFor('register', countedAddress(currentContext().ip), currentContext());
    if (perAddress?.exceeded) throw rateLimited(perAddress);
    const passwordHash = await this.hasher.hash(password);
    // Three mails an hour are enough for one address, wherever the requests come from. Nobody is told.
    const allowance = await this.limiter.countFor('account_mail', `registration of ${accountDigest(email)}`, currentContext());
    if (!allowance?.exceeded) await this.keep({ email, passwordHash, clientName: name ?? nameFrom(email), referredBy });
    return ACCEPTED;
  }

  private async keep(pending: PendingRegistration): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const taken = await tx.query(TAKEN, [pending.email]);
      if (taken.length > 0) return this.mail.addressInUse(tx, pending.email);
      const token = await issueLink(tx, { purpose: 'registration', data: pending });
      return this.mail.confirmRegistration(tx, pending.email, token);
    });
  }

  /** A mistyped code is told: it would be lost without a word, and it names no person. */
  private async referrer(code: string): Promise<string> {
    const [row] = await this.unitOfWork.read<{ id: string }>('find_referrer', REFERRER, [code]);
    if (row) return row.id;
    throw new ValidationProblem([{ field: 'referral_code', code: 'unknown', message: 'nobody has this code; check it or leave it out' }]);
  }
}

/** Payers may see a client's name: what stands before the @ is a better guess than the whole address. */
function nameFrom(email: string): string {
  return email.slice(0, email.indexOf('@'));
}
