import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { ValidationProblem } from '../../platform/http/problem';
import { currentContext, currentSession } from '../../platform/http/request-context';
import { rateLimited, RateLimiter } from '../../platform/security/limits/rate-limiter';
import { AccountMail } from '../account-mail';
import { PasswordCheck } from '../passwords/password-check';
import { bookOf } from '../people/person-presenter';
import { endLinks, issueLink } from '../tokens/one-time-tokens';
import { SecondFactorCodes } from '../two-factor/second-factor-codes';
import { ACCEPTED, type Accepted, type ChangeEmailBody } from './registration.dto';

/** Starts giving the signed-in person another e-mail address; it changes when the new address is confirmed. */
@Injectable()
export class ChangeEmail {
  constructor(
    private readonly passwords: PasswordCheck,
    private readonly codes: SecondFactorCodes,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Sends a link to the new address and a notice to the old one. Whether somebody has the new address is told to that address only.
   * 403 for a wrong password or code, 429 from the fourth time in an hour on.
   */
  async ask({ email, current_password: password, code }: ChangeEmailBody): Promise<Accepted> {
    const { personId, clientId, email: old } = currentSession();
    if (email === old) throw new ValidationProblem([{ field: 'email', code: 'unchanged', message: 'is your address already' }]);
    await this.passwords.check(password);
    const allowance = await this.limiter.countFor('account_mail', `email change of ${personId}`, currentContext());
    if (allowance?.exceeded) throw rateLimited(allowance);
    return this.codes.guard(code, async (tx) => {
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'email.change_requested', objectId: personId, after: { email } });
      await this.mail.addressChangeAsked(tx, old);
      await endLinks(tx, personId, ['email_change']);
      const taken = await tx.query("select 1 from people where email = $1 and status = 'active'", [email]);
      if (taken.length > 0) await this.mail.addressInUse(tx, email);
      else await this.mail.confirmNewAddress(tx, email, await issueLink(tx, { purpose: 'email_change', personId, data: { email } }));
      return ACCEPTED;
    });
  }
}
