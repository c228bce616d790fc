import bcrypt from 'bcrypt';
import { generate } from 'otplib';
import { OpenSession, type TokensAnswer } from '../../src/auth/sessions/open-session';
import { newTotpSecret } from '../../src/auth/two-factor/totp';
import { totpSecretPlace } from '../../src/auth/two-factor/second-factor-codes';
import { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { runInContext } from '../../src/platform/http/request-context';
import type { ClientRole, Role, StaffRole } from '../../src/platform/http/roles';
import { newId } from '../../src/platform/identifiers';
import { Envelope } from '../../src/platform/security/crypto/envelope';
import { CHEAP_COST } from './cheap-hashes';
import type { Gateway } from './gateway';
import type { Answer, Merchant } from './merchant';
import { parsed, send } from './send';

/** The password of everybody in tests. */
export const PASSWORD = 'tawny-owl-reads-4-maps';
const PASSWORD_HASH = bcrypt.hashSync(PASSWORD, CHEAP_COST);
const STEP_SECONDS = 30;

export interface PersonOptions {
  email?: string;
  /** Default: staff have one, a client's people do not. */
  twoFactor?: boolean;
  /** Whether the session's second factor was entered just now; default true where there is one. */
  fresh?: boolean;
}

/** Somebody who has signed in: calls the gateway with an access token. */
export class TestPerson {
  private lastStep = 0;

  constructor(
    private readonly url: string,
    readonly id: string,
    readonly email: string,
    readonly tokens: TokensAnswer,
    readonly totpSecret: string | undefined,
  ) {}

  /** The same person at another instance, or with other tokens. */
  with(change: { url?: string; tokens?: TokensAnswer }): TestPerson {
    return new TestPerson(change.url ?? this.url, this.id, this.email, change.tokens ?? this.tokens, this.totpSecret);
  }

  get<Body = Record<string, unknown>>(path: string, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return this.call('GET', path, undefined, headers);
  }

  post<Body = Record<string, unknown>>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return this.call('POST', path, body, headers);
  }

  call<Body = Record<string, unknown>>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return callJson(this.url + path, method, body, { authorization: `Bearer ${this.tokens.access_token}`, ...headers });
  }

  /** A code that has not been used: of this step, or of the next one when this one's is gone (both are accepted). */
  async code(): Promise<string> {
    this.lastStep = Math.max(this.lastStep + 1, Math.floor(Date.now() / 1000 / STEP_SECONDS));
    return totpCode(this.totpSecret!, this.lastStep);
  }
}

/** The code of a time step, by default of this one. */
export function totpCode(secret: string, step = Math.floor(Date.now() / 1000 / STEP_SECONDS)): Promise<string> {
  return generate({ secret, epoch: step * STEP_SECONDS });
}

/** One call as anybody could make it: JSON in, JSON out. */
export async function callJson<Body = Record<string, unknown>>(
  url: string, method: string, body?: unknown, headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const answer = await send(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { ...answer, body: parsed(answer.text) as Body };
}

/** One of the operator's staff, signed in. */
export function staff(gateway: Gateway, role: StaffRole, options: PersonOptions = {}): Promise<TestPerson> {
  return makePerson(gateway, role, null, { twoFactor: true, ...options });
}

/** One of a merchant's people, signed in. */
export function member(gateway: Gateway, merchant: Merchant, role: ClientRole, options: PersonOptions = {}): Promise<TestPerson> {
  return makePerson(gateway, role, merchant.credentials.clientId, options);
}

async function makePerson(gateway: Gateway, role: Role, clientId: string | null, options: PersonOptions): Promise<TestPerson> {
  const id = newId('usr');
  const email = options.email ?? `${role}.${id.slice(-8)}@people.example`;
  const secret = options.twoFactor ? newTotpSecret() : undefined;
  const sealed = secret && gateway.app.get(Envelope).seal(secret, totpSecretPlace(id));
  await gateway.database.rows(
    `insert into people (id, client_id, email, role, status, password_hash, referral_code, totp_secret, totp_enabled_at)
     values ($1, $2, $3, $4, 'active', $5, $6, $7, case when $7::text is not null then now() end)`,
    [id, clientId, email, role, PASSWORD_HASH, `ref-${id.slice(-12)}`, sealed ?? null],
  );
  const tokens = await openSession(gateway, { id, clientId }, secret !== undefined && options.fresh !== false);
  return new TestPerson(gateway.url, id, email, tokens, secret);
}

/** Another session of a person, as a login would have opened it. */
export function openSession(gateway: Gateway, person: { id: string; clientId: string | null }, fresh: boolean): Promise<TokensAnswer> {
  const context = { requestId: 'test-setup', ip: '192.0.2.1', userAgent: 'tests', startedAt: 0 };
  return runInContext(context, () =>
    gateway.app.get(UnitOfWork).run((tx) => gateway.app.get(OpenSession).open(tx, person, fresh ? 'totp' : null)));
}
