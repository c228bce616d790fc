import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog } from '../../audit/audit-log';
import type { Tx } from '../../platform/database/unit-of-work';
import { currentContext } from '../../platform/http/request-context';
import { newId } from '../../platform/identifiers';
import { shownUserAgent } from '../../platform/security/crypto/masking';
import type { Person } from '../people/person.entity';
import { bookOf } from '../people/person-presenter';
import { AccessTokens } from '../tokens/access-token';
import { newOpaqueToken } from '../tokens/opaque-token';

/** A session lives this long without a refresh; each refresh starts it again. */
export const SESSION_DAYS = 30;

export const tokensAnswer = z.object({
  access_token: z.string().meta({ description: 'Send it as Authorization: Bearer ….' }),
  refresh_token: z.string().meta({ description: 'Good for one refresh; using an old one ends the session.' }),
  expires_in: z.int().min(1).meta({ description: 'Seconds until the access token expires.' }),
  token_type: z.literal('Bearer'),
});
export type TokensAnswer = z.output<typeof tokensAnswer>;

/** Opens sessions for people whose factors have been checked. */
@Injectable()
export class OpenSession {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly audit: AuditLog,
  ) {}

  /** Writes the session, its first refresh token and the audit event of the login into the caller's change. */
  async open(tx: Tx, person: Pick<Person, 'id' | 'clientId'>, secondFactor: 'totp' | 'backup_code' | null): Promise<TokensAnswer> {
    const { ip, userAgent } = currentContext();
    const sessionId = newId('ses');
    await tx.query(
      `insert into sessions (id, person_id, expires_at, second_factor_at, ip, user_agent)
       values ($1, $2, now() + make_interval(days => $3), case when $4 then now() end, $5, $6)`,
      [sessionId, person.id, SESSION_DAYS, secondFactor !== null, ip, shownUserAgent(userAgent)],
    );
    currentContext().actor = { type: 'person', id: person.id };
    await this.audit.record(tx, bookOf(person), {
      kind: 'login.succeeded', objectId: sessionId, after: { second_factor: secondFactor },
    });
    return this.issue(tx, person.id, sessionId);
  }

  /** A new pair of tokens for a session; the refresh token is stored as its hash. */
  async issue(tx: Tx, personId: string, sessionId: string): Promise<TokensAnswer> {
    const refresh = newOpaqueToken('cpgr');
    await tx.query('insert into refresh_tokens (token_hash, session_id) values ($1, $2)', [refresh.hash, sessionId]);
    const access = await this.tokens.issue({ personId, sessionId });
    return { access_token: access.token, refresh_token: refresh.token, expires_in: access.expiresIn, token_type: 'Bearer' };
  }
}
