import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { AccountMail } from '../account-mail';
import { PasswordHasher } from '../passwords/password-hasher';
import { refuseWeakPassword } from '../passwords/refuse-weak-password';
import { bookOf } from '../people/person-presenter';
import { endSessions } from '../sessions/own-sessions';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { hashOfToken } from '../tokens/opaque-token';
import { deadLink, endLinks, spendLink } from '../tokens/one-time-tokens';
import { type FactorOwner, SecondFactorCodes } from '../two-factor/second-factor-codes';
import type { ChangedPassword, ConfirmResetBody } from './registration.dto';

interface Holder extends FactorOwner {
  email: string;
  revision: string;
  purpose: 'password_reset' | 'invitation';
}

const FIND = `
  select t.purpose, p.id, p.client_id as "clientId", p.email, p.revision, p.totp_secret as "totpSecret", p.totp_last_step as "totpLastStep"
    from one_time_tokens t join people p on p.id = t.person_id
   where t.token_hash = $1 and t.used_at is null and t.expires_at > now()
     and (t.purpose, p.status) in (('password_reset', 'active'), ('invitation', 'invited'))`;
const SET = `
  with changed as (
    update people set password_hash = $2, status = 'active', revision = revision + 1, updated_at = now()
     where id = $1 and revision = $3 and status <> 'removed' returning 1)
  select 1 from changed`;

/** What the link for a new password does, and the one in an invitation: sets the password and ends every session. */
@Injectable()
export class ConfirmPasswordReset {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly hasher: PasswordHasher,
    private readonly codes: SecondFactorCodes,
    private readonly directory: SessionDirectoryService,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /**
   * 422 for a link that is unknown, used or expired. With a second factor a code is asked for as well: 403 without one or with a wrong
   * one, which leaves the link as it is.
   */
  async confirm({ token, password, code }: ConfirmResetBody): Promise<ChangedPassword> {
    const tokenHash = hashOfToken(token, 'cpgo');
    const [holder] = tokenHash ? await this.unitOfWork.read<Holder>('find_password_link', FIND, [tokenHash]) : [];
    if (!tokenHash || !holder) throw deadLink();
    refuseWeakPassword('password', password, [holder.email]);
    if (holder.totpSecret && code === undefined) {
      throw new Problem('two_factor_required', 'Enter a code of your second factor too: send it as code. The link stays good.');
    }
    const passwordHash = await this.hasher.hash(password);
    const set = (tx: Tx) => this.set(tx, holder, tokenHash, passwordHash);
    await (holder.totpSecret ? this.codes.use(holder, code!, set) : this.unitOfWork.run(set)).catch(refuseTaken);
    this.directory.forget(holder.id);
    return { status: 'changed' };
  }

  private async set(tx: Tx, { id, clientId, email, revision, purpose }: Holder, tokenHash: string, passwordHash: string): Promise<void> {
    await spendLink(tx, tokenHash);
    // Another revision may have a second factor by now, which nobody has asked for yet.
    if ((await tx.query(SET, [id, passwordHash, revision])).length === 0) {
      throw new Problem('state_conflict', 'The account was changed meanwhile. Try again.');
    }
    await endSessions(tx, id);
    await endLinks(tx, id, ['password_reset', 'email_change', 'invitation']);
    await tx.query('delete from known_devices where person_id = $1', [id]);
    currentContext().actor = { type: 'person', id };
    const invited = purpose === 'invitation';
    await this.audit.record(tx, bookOf({ clientId }), { kind: invited ? 'invitation.accepted' : 'password.reset', objectId: id });
    if (!invited) await this.mail.passwordChanged(tx, email);
  }
}

/** Of an invitation: whoever has the address may have got an account in another way since. */
function refuseTaken(error: unknown): never {
  if (sqlStateOf(error) !== SQLSTATE.uniqueViolation) throw error;
  throw new Problem('state_conflict', 'There is an account with this e-mail address already. Log in, or reset its password.', { cause: error });
}
