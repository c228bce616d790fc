import { Injectable } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentContext, currentSession, type SessionAccess } from '../../platform/http/request-context';
import { Envelope, type SealedPlace } from '../../platform/security/crypto/envelope';
import { Attempts } from '../../platform/security/limits/attempts';
import { hasFreshFactor } from '../../platform/security/person-rules';
import type { SecondFactor } from '../../platform/security/second-factor';
import type { Person } from '../people/person.entity';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { SuspiciousActivity } from '../suspicious-activity';
import { hashOfBackupCode } from './backup-codes';
import { acceptedStep } from './totp';

/** What is known of a person's second factor. */
export type FactorOwner = Pick<Person, 'id' | 'clientId' | 'totpSecret' | 'totpLastStep'>;
export type CodeKind = 'totp' | 'backup_code';

const FACTOR = 'select id, client_id as "clientId", totp_secret as "totpSecret", totp_last_step as "totpLastStep" from people where id = $1';

/** Where a person's TOTP secret is sealed to; it opens nowhere else. */
export function totpSecretPlace(personId: string, column: 'totp_secret' | 'totp_pending' = 'totp_secret'): SealedPlace {
  return { table: 'people', column, row: personId };
}

/** Under what the codes of somebody who has signed in are counted. */
export function placeOf({ sessionId }: SessionAccess): string {
  return `session ${sessionId}`;
}

/** Checks the codes of second factors. Each counts once: whoever writes first that it was used has used it. */
@Injectable()
export class SecondFactorCodes implements SecondFactor {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelope: Envelope,
    private readonly attempts: Attempts,
    private readonly suspicious: SuspiciousActivity,
    private readonly sessions: SessionDirectoryService,
  ) {}

  /** The second factor of a person; undefined when there is no such person. */
  async factorOf(personId: string): Promise<FactorOwner | undefined> {
    const [owner] = await this.unitOfWork.read<FactorOwner>('get_second_factor', FACTOR, [personId]);
    return owner;
  }

  /**
   * Checks a TOTP or backup code and uses it up in the same transaction as the work that it allows; fails together with it.
   * Wrong codes are counted by person: 403 `two_factor_invalid`, after five of them 429 with a growing wait. Whoever has shown more than
   * the password, an open session or a known device, is counted apart by `place`, so that strangers lock nobody out.
   */
  async use<T>(owner: FactorOwner, code: string, work: (tx: Tx, kind: CodeKind) => Promise<T>, place?: string): Promise<T> {
    const subject = place ?? owner.id;
    const { allowed, retryAfterSeconds } = await this.attempts.take('second_factor', subject);
    if (!allowed) throw tooManyCodes(retryAfterSeconds);
    const consume = await this.consumer(owner, code);
    if (!consume) return this.refuse(owner);
    let used = false;
    const attempt = this.unitOfWork.run(async (tx) => {
      used = (await tx.query<{ used: number }>(...consume.statement)).length > 0;
      return used ? work(tx, consume.kind) : undefined;
    });
    // The code was right and the work failed: that is no guess.
    const result = await attempt.catch(async (error: unknown) => {
      await this.attempts.giveBack('second_factor', subject);
      throw error;
    });
    if (!used) return this.refuse(owner);
    await this.attempts.forgive('second_factor', subject);
    return result as T;
  }

  /**
   * Does a sensitive act of the signed-in person: with a code, which is used up in the same transaction, or within five minutes of one.
   * Who has no second factor has none to enter. 403 `two_factor_required` without either.
   */
  async guard<T>(code: string | undefined, work: (tx: Tx) => Promise<T>): Promise<T> {
    const session = currentSession();
    const owner = await this.factorOf(session.personId);
    if (owner?.totpSecret && code !== undefined) return this.use(owner, code, work, placeOf(session));
    if (owner?.totpSecret && !hasFreshFactor(session)) {
      throw new Problem('two_factor_required', 'Enter a code of your second factor for this and send it with the request.');
    }
    return this.unitOfWork.run(work);
  }

  /** Checks a code of the signed-in person and marks the session as fresh for sensitive acts. */
  async confirm(code: string): Promise<void> {
    const session = currentSession();
    const owner = await this.factorOf(session.personId);
    if (!owner) throw new Problem('unauthenticated', 'Log in again.');
    const at = await this.use(owner, code, async (tx) => {
      const [row] = await tx.query<{ at: Date }>(
        'with fresh as (update sessions set second_factor_at = now() where id = $1 returning second_factor_at as at) select at from fresh', [session.sessionId],
      );
      return row.at;
    }, placeOf(session));
    this.sessions.forget(session.personId);
    currentContext().session = { ...currentSession(), secondFactorAt: at };
  }

  /** How the code is used up, if it can be right. Both statements answer a row to one caller only, however many try at once. */
  private async consumer(owner: FactorOwner, code: string): Promise<{ kind: CodeKind; statement: [string, unknown[]] } | undefined> {
    if (!owner.totpSecret) return undefined;
    const backupHash = hashOfBackupCode(code);
    if (backupHash) {
      return {
        kind: 'backup_code',
        statement: [
          `with used as (update backup_codes set used_at = now() where person_id = $1 and code_hash = $2 and used_at is null returning 1)
           select 1 as used from used`,
          [owner.id, backupHash],
        ],
      };
    }
    const secret = this.envelope.open(owner.totpSecret, totpSecretPlace(owner.id)).toString('utf8');
    const step = await acceptedStep(secret, code, BigInt(owner.totpLastStep));
    if (step === undefined) return undefined;
    return {
      kind: 'totp',
      statement: [
        `with used as (update people set totp_last_step = $2 where id = $1 and totp_last_step < $2 and totp_secret = $3 returning 1)
         select 1 as used from used`,
        [owner.id, step, owner.totpSecret],
      ],
    };
  }

  private async refuse(owner: FactorOwner): Promise<never> {
    await this.suspicious.failedSecondFactor(owner);
    throw new Problem('two_factor_invalid', 'This code is not valid. Enter the one that your authenticator shows now, or a backup code that is unused.');
  }
}

/** 429 with the seconds until another code is looked at. */
export function tooManyCodes(seconds: number): Problem {
  return new Problem('rate_limited', `Too many wrong codes. Try again in ${seconds} s.`, { headers: { 'retry-after': String(seconds) } });
}
