import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { Envelope } from '../../platform/security/crypto/envelope';
import { PasswordCheck } from '../passwords/password-check';
import { qrCodes } from './qr-code';
import { totpSecretPlace } from './second-factor-codes';
import { newTotpSecret, otpauthUri } from './totp';
import type { EnrolmentAnswer } from './two-factor.dto';

const ISSUER = 'CPGateway';
/** Who logged in so recently has just entered the password. */
const RECENT_MINUTES = 10;
const IS_RECENT = 'select created_at > now() - make_interval(mins => $2) as recent from sessions where id = $1';
const OFFER = `
  with offered as (
    update people set totp_pending = $2, updated_at = now() where id = $1 and totp_enabled_at is null returning 1)
  select 1 from offered`;

/** Offers a second factor. It counts only once a first code has proved that its secret arrived. */
@Injectable()
export class OfferTwoFactor {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelope: Envelope,
    private readonly passwords: PasswordCheck,
  ) {}

  /**
   * A new secret; an earlier offer is void. 409 when there is a second factor already. In a session older than ten minutes the password is
   * asked for, 403 without it: a thief of the session must not put a factor of their own before the account.
   */
  async offer(password: string | undefined): Promise<EnrolmentAnswer> {
    const { personId, email, sessionId } = currentSession();
    if (password !== undefined) await this.passwords.check(password);
    else await this.demandRecent(sessionId);
    const secret = newTotpSecret();
    await this.unitOfWork.run(async (tx) => {
      const offered = await tx.query(OFFER, [personId, this.envelope.seal(secret, totpSecretPlace(personId, 'totp_pending'))]);
      if (offered.length > 0) return;
      throw new Problem('state_conflict', 'You have a second factor already. Disable it first, or ask an operator to reset it.');
    });
    const uri = otpauthUri(secret, email, ISSUER);
    const { png, svg } = await qrCodes(uri);
    return { secret, otpauth_uri: uri, qr_png: png, qr_svg: svg };
  }

  private async demandRecent(sessionId: string): Promise<void> {
    const [row] = await this.unitOfWork.read<{ recent: boolean }>('is_recent_session', IS_RECENT, [sessionId, RECENT_MINUTES]);
    if (row?.recent) return;
    throw new Problem('forbidden', `You logged in more than ${RECENT_MINUTES} minutes ago. Send your password too, as password.`);
  }
}
