import { Injectable } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { PasswordHasher } from '../passwords/password-hasher';
import { OpenSession, type TokensAnswer } from '../sessions/open-session';
import { SuspiciousActivity } from '../suspicious-activity';
import { hashOfToken, newOpaqueToken } from '../tokens/opaque-token';
import { LoginAdmission } from './login-admission';
import { LoginPeople, type LoginPerson } from './login-people';
import type { LoginBody, TicketAnswer } from './login.dto';

/** What a login leads to: tokens and, for the browser, the device's own token; or the step to the second factor. */
export interface LoginOutcome {
  answer: TokensAnswer | TicketAnswer;
  device?: string;
}

const TICKET_MINUTES = 5;
const WRONG = 'The e-mail or the password is wrong, or the address has not been confirmed yet.';

/** The first step of logging in. Unknown e-mails and wrong passwords take the same way, the same time and the same answer. */
@Injectable()
export class Login {
  constructor(
    private readonly people: LoginPeople,
    private readonly admission: LoginAdmission,
    private readonly hasher: PasswordHasher,
    private readonly suspicious: SuspiciousActivity,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: OpenSession,
  ) {}

  /** 401 for a wrong pair; 403 `captcha_required` and 429 where guessing goes on. */
  async login({ email, password, captcha }: LoginBody, device: string | undefined): Promise<LoginOutcome> {
    const deviceHash = device === undefined ? undefined : hashOfToken(device, 'cpgd');
    const person = await this.people.find(email, deviceHash);
    const admitted = await this.admission.admit({ email, captcha, person, deviceHash });
    const isRight = await this.hasher.matches(password, person?.passwordHash ?? null).catch(async (error: unknown) => {
      // Too many are signing in at once: nobody has guessed wrong.
      await admitted.withdrawn();
      throw error;
    });
    // From where nobody may log in, nobody learns which password is right: such a try ends, and counts, as a wrong one does.
    if (!isRight || !person || !(await this.admission.mayEnter(person))) {
      await this.suspicious.failedLogin(email, person);
      // Told to the log already, by the name of what it was.
      throw new Problem('unauthenticated', WRONG, { refusal: 'login_failed' });
    }
    await admitted.succeeded();
    return person.totpEnabledAt ? { answer: await this.ticket(person) } : this.open(person, deviceHash);
  }

  private open(person: LoginPerson, deviceHash: string | undefined): Promise<LoginOutcome> {
    return this.unitOfWork.run(async (tx) => {
      await refuseChanged(tx, person);
      return { answer: await this.sessions.open(tx, person, null), device: await rememberDevice(tx, person, person.knownDevice ? deviceHash : undefined) };
    });
  }

  /** The ticket is a text of its own kind: no route but the second step takes it. */
  private ticket(person: LoginPerson): Promise<TicketAnswer> {
    return this.unitOfWork.run(async (tx) => {
      const { token, hash } = newOpaqueToken('cpgt');
      await tx.query(
        `insert into one_time_tokens (token_hash, purpose, person_id, data, expires_at)
         values ($1, 'second_factor', $2, $3, now() + make_interval(mins => $4))`,
        [hash, person.id, JSON.stringify({ revision: person.revision }), TICKET_MINUTES],
      );
      return { requires_2fa: true, ticket: token };
    });
  }
}

/** Refuses a login that was decided on what is no longer so: another password, or removed meanwhile. */
export async function refuseChanged(tx: Tx, { id, revision }: Pick<LoginPerson, 'id' | 'revision'>): Promise<void> {
  const rows = await tx.query('select 1 from people where id = $1 and revision = $2 and status = \'active\' for share', [id, revision]);
  if (rows.length === 0) throw new Problem('unauthenticated', 'Your account was changed meanwhile. Log in again.');
}

/** Remembers the device that has just logged in; answers its new token, or nothing when it has one already. */
export async function rememberDevice(tx: Tx, { id }: Pick<LoginPerson, 'id'>, knownHash: string | undefined): Promise<string | undefined> {
  if (knownHash) {
    await tx.query('update known_devices set last_seen_at = now() where person_id = $1 and device_hash = $2', [id, knownHash]);
    return undefined;
  }
  const { token, hash } = newOpaqueToken('cpgd');
  await tx.query('insert into known_devices (person_id, device_hash) values ($1, $2)', [id, hash]);
  return token;
}
