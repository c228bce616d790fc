import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog } from '../../audit/audit-log';
import { SecurityLog } from '../../audit/security-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { allowanceHeaders, rateLimited, RateLimiter } from '../../platform/security/limits/rate-limiter';
import { bookOf } from '../people/person-presenter';
import { hashOfToken } from '../tokens/opaque-token';
import { OpenSession, SESSION_DAYS, type TokensAnswer } from './open-session';
import { SessionDirectoryService } from './session-directory.service';

export const refreshBody = z.strictObject({ refresh_token: z.string().min(1).max(200) });
export type RefreshBody = z.output<typeof refreshBody>;

interface Holder {
  sessionId: string;
  personId: string;
  clientId: string | null;
  isUsed: boolean;
}

const FIND = `
  select s.id as "sessionId", s.person_id as "personId", p.client_id as "clientId", t.used_at is not null as "isUsed"
    from refresh_tokens t join sessions s on s.id = t.session_id join people p on p.id = s.person_id
   where t.token_hash = $1`;
/** The session is locked first: of a refresh and a revocation at once, the later one sees what the earlier did. */
const LOCK = `
  select 1 from sessions s join people p on p.id = s.person_id
   where s.id = $1 and s.revoked_at is null and s.expires_at > now() and p.status = 'active' for update of s`;
const USE = 'with used as (update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null returning 1) select 1 from used';
/** However often it is refreshed, a session ends some day: who is still there logs in again. */
const LONGEST_DAYS = 90;
const EXTEND = `
  update sessions set expires_at = least(now() + make_interval(days => $2), created_at + make_interval(days => $3)), last_seen_at = now()
   where id = $1`;
const ENDED = 'This refresh token is not valid. Log in again.';

/**
 * Exchanges a refresh token for a new pair. Each is good for one exchange; a second use means that two hold it, of whom one has stolen
 * it, so the whole session ends for both (RFC 9700, 4.14.2).
 */
@Injectable()
export class RefreshSession {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: OpenSession,
    private readonly directory: SessionDirectoryService,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    private readonly securityLog: SecurityLog,
  ) {}

  /** 401 for a token that is unknown, used or of an ended session; 429 above ten refreshes of a session in ten minutes. */
  async refresh(refreshToken: string): Promise<TokensAnswer> {
    const hash = hashOfToken(refreshToken, 'cpgr');
    const [holder] = hash ? await this.unitOfWork.read<Holder>('find_refresh_token', FIND, [hash]) : [];
    if (!hash || !holder) throw new Problem('unauthenticated', ENDED);
    // A token that comes a second time is looked at however many came before: a thief must not hide it behind the limit.
    const allowance = holder.isUsed ? undefined : await this.limiter.countFor('refresh', holder.sessionId, currentContext());
    if (allowance?.exceeded) throw rateLimited(allowance);
    const outcome = await this.unitOfWork.run((tx) => this.exchange(tx, hash, holder));
    if (outcome === 'reused') await this.tellOfReuse(holder);
    if (typeof outcome === 'string') throw new Problem('unauthenticated', ENDED, { headers: allowance && allowanceHeaders(allowance) });
    return outcome;
  }

  /** Answers what happened instead of throwing it: the end of a session that was reused must be committed. */
  private async exchange(tx: Tx, hash: string, { sessionId, personId, clientId }: Holder): Promise<TokensAnswer | 'reused' | 'ended'> {
    if ((await tx.query(LOCK, [sessionId])).length === 0) return 'ended';
    if ((await tx.query(USE, [hash])).length === 0) {
      await tx.query('update sessions set revoked_at = now() where id = $1', [sessionId]);
      await this.audit.record(tx, bookOf({ clientId }), { kind: 'session.revoked', objectId: sessionId, after: { reason: 'refresh token used twice' } });
      return 'reused';
    }
    await tx.query(EXTEND, [sessionId, SESSION_DAYS, LONGEST_DAYS]);
    return this.sessions.issue(tx, personId, sessionId);
  }

  private async tellOfReuse({ sessionId, personId, clientId }: Holder): Promise<void> {
    this.directory.forget(personId);
    const { ip, userAgent, method, route } = currentContext();
    await this.securityLog.write({
      kind: 'suspicious.refresh_token_reused', severity: 'critical', source: sessionId, clientId: clientId ?? undefined, actorId: personId,
      route: `${method} ${route}`, userAgent, action: 'ended the session', details: { ip },
    });
  }
}
