import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { poolOf } from '../../platform/database/data-source';
import { type BookAccess, type SessionAccess } from '../../platform/http/request-context';
import type { ClientRole, Role } from '../../platform/http/roles';
import { type Scope, SCOPES } from '../../platform/http/policy';
import type { SessionDirectory, SessionRecord } from '../../platform/security/session-directory';
import { AccessTokens } from '../tokens/access-token';

/** How long a read may trust what memory says of a session. Changes check it again in the query that they make anyway. */
const TRUST_MS = 2_000;
const MAX_CACHED = 10_000;
const FLUSH_MS = 15_000;

interface SessionRow {
  session_id: string;
  person_id: string;
  person_revision: string;
  role: Role;
  email: string;
  second_factor_at: Date | null;
  two_factor: boolean;
  client_id: string | null;
  client_revision: string;
  client_status: 'active' | 'suspended' | 'closed';
  live_enabled: boolean;
  fee_bps: number;
  rate_multiplier: number;
  test_settings: Record<string, unknown>;
  live_settings: Record<string, unknown>;
}

const FIND = `
  select s.id as session_id, s.second_factor_at, p.id as person_id, p.revision as person_revision, p.role, p.email,
         p.totp_enabled_at is not null as two_factor, p.client_id, c.revision as client_revision, c.status as client_status,
         c.live_enabled, c.fee_bps, c.rate_multiplier, c.test_settings, c.live_settings
    from sessions s join people p on p.id = s.person_id left join clients c on c.id = p.client_id
   where s.id = $1 and p.id = $2 and s.revoked_at is null and s.expires_at > now() and p.status = 'active'`;

/** What each role of a client's people may do through routes that keys use too; the routes' policies say which are open to people at all. */
const SCOPES_BY_ROLE: Readonly<Record<ClientRole, readonly Scope[]>> = {
  owner: SCOPES,
  developer: SCOPES,
  viewer: SCOPES.filter((scope) => scope.endsWith(':read')),
};

/** Finds sessions by access token, and remembers them for two seconds. */
@Injectable()
export class SessionDirectoryService implements SessionDirectory, BeforeApplicationShutdown {
  private readonly logger = new Logger(SessionDirectoryService.name);
  private readonly cache = new Map<string, { record: SessionRecord; readAt: number; expiresAt: number }>();
  private readonly lastSeen = new Map<string, { at: number; ip: string | undefined }>();
  private readonly flusher = setInterval(() => void this.flush(), FLUSH_MS).unref();

  constructor(
    private readonly dataSource: DataSource,
    private readonly tokens: AccessTokens,
  ) {}

  cached(token: string): SessionRecord | undefined {
    const known = this.cache.get(token);
    // Trust is measured by a clock that nobody can set back.
    return known && performance.now() - known.readAt < TRUST_MS && Date.now() < known.expiresAt ? known.record : undefined;
  }

  async find(token: string): Promise<SessionRecord | 'expired' | undefined> {
    const claims = await this.tokens.verify(token);
    if (!claims || claims === 'expired') return claims;
    const readAt = performance.now();
    const { rows } = await poolOf(this.dataSource).query<SessionRow>({ name: 'find_session', text: FIND, values: [claims.sessionId, claims.personId] });
    if (!rows[0]) {
      this.cache.delete(token);
      return undefined;
    }
    const record = toRecord(rows[0]);
    if (this.cache.size >= MAX_CACHED) this.cache.clear();
    this.cache.set(token, { record, readAt, expiresAt: claims.expiresAt.getTime() });
    return record;
  }

  used({ sessionId }: SessionAccess, ip: string | undefined): void {
    this.lastSeen.set(sessionId, { at: Date.now(), ip });
  }

  /** Forgets what memory knows of a person: the next request of each of their sessions reads it again. */
  forget(personId: string): void {
    for (const [token, { record }] of this.cache) if (record.session.personId === personId) this.cache.delete(token);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.flusher);
    await this.flush();
  }

  /** Writes when each session was last seen: one statement for all of them, four times a minute, whatever the traffic. */
  private async flush(): Promise<void> {
    if (this.lastSeen.size === 0) return;
    const seen = [...this.lastSeen].map(([id, { at, ip }]) => ({ id, at: new Date(at), ip }));
    this.lastSeen.clear();
    try {
      await this.dataSource.query(
        `update sessions s set last_seen_at = greatest(s.last_seen_at, x.at), ip = coalesce(x.ip, s.ip)
           from jsonb_to_recordset($1) as x (id text, at timestamptz, ip text) where s.id = x.id`,
        [JSON.stringify(seen)],
      );
    } catch (error) {
      this.logger.warn({ err: error, msg: 'could not note when sessions were last seen' });
    }
  }
}

function toRecord(row: SessionRow): SessionRecord {
  const session: SessionAccess = {
    sessionId: row.session_id,
    personId: row.person_id,
    personRevision: row.person_revision,
    role: row.role,
    email: row.email,
    clientId: row.client_id,
    twoFactorEnabled: row.two_factor,
    secondFactorAt: row.second_factor_at,
  };
  if (!row.client_id) return { session };
  const book = (livemode: boolean): BookAccess => ({
    clientId: row.client_id!,
    livemode,
    clientRevision: row.client_revision,
    scopes: SCOPES_BY_ROLE[row.role as ClientRole],
    rateMultiplier: row.rate_multiplier,
    feeBps: row.fee_bps,
    clientSettings: livemode ? row.live_settings : row.test_settings,
  });
  return { session, client: { status: row.client_status, liveEnabled: row.live_enabled, test: book(false), live: book(true) } };
}
