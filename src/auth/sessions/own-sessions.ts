import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, listQuery, type Page, pageOf, type PageQuery, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { idSchema } from '../../platform/http/validation';
import { bookOf } from '../people/person-presenter';
import { SessionDirectoryService } from './session-directory.service';

export const sessionObject = z.object({
  id: idSchema('ses'),
  object: z.literal('session'),
  current: z.boolean().meta({ description: 'Whether it is the session that asks.' }),
  ip: z.string().nullable(),
  device: z.string().nullable().meta({ description: 'What the browser or program calls itself.' }),
  second_factor_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
  last_seen_at: z.iso.datetime().meta({ description: 'Up to 15 seconds behind.' }),
  expires_at: z.iso.datetime(),
});
export type SessionObject = z.output<typeof sessionObject>;
export const sessionId = z.strictObject({ id: idSchema('ses') });
export const listSessionsQuery = listQuery('ses', {});
export const sessionPage = pageOf(sessionObject);

interface SessionRow {
  id: string;
  ip: string | null;
  user_agent: string | null;
  second_factor_at: Date | null;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
}

const COLUMNS = 'id, ip, user_agent, second_factor_at, created_at, last_seen_at, expires_at';

/** Ends sessions inside a change: of one person all, all but one, or one. Answers the ids of those that were open. */
export async function endSessions(tx: Tx, personId: string, which: { only?: string; except?: string } = {}): Promise<string[]> {
  const ended = await tx.query<{ id: string }>(
    `with ended as (
       update sessions set revoked_at = now()
        where person_id = $1 and revoked_at is null and expires_at > now() and ($2::text is null or id = $2) and ($3::text is null or id <> $3)
       returning id)
     select id from ended order by id`,
    [personId, which.only ?? null, which.except ?? null],
  );
  return ended.map(({ id }) => id);
}

/** The signed-in person's own sessions. */
@Injectable()
export class OwnSessions {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    private readonly directory: SessionDirectoryService,
  ) {}

  /** The open ones, newest first. */
  async list(page: PageQuery): Promise<Page<SessionObject>> {
    const { personId, sessionId: current } = currentSession();
    const clause = keyset('ses', { person_id: personId }, page, 'revoked_at is null and expires_at > now()');
    const rows = await this.unitOfWork.read<SessionRow>('', `select ${COLUMNS} from sessions ${clause.sql}`, clause.values);
    return toPage(rows, page, (row) => present(row, current));
  }

  /** One of the open ones; 404 for any other. */
  async get(id: string): Promise<SessionObject> {
    const { personId, sessionId: current } = currentSession();
    const [row] = await this.unitOfWork.read<SessionRow>(
      'get_session', `select ${COLUMNS} from sessions where id = $1 and person_id = $2 and revoked_at is null and expires_at > now()`, [id, personId],
    );
    if (!row) throw new NotFoundProblem('session');
    return present(row, current);
  }

  /** Ends one; its access token stops at once. 404 for one that is not the caller's or has ended. */
  revoke(id: string): Promise<void> {
    return this.end({ only: id }, id);
  }

  /** Ends all, the one that asks among them. */
  revokeAll(): Promise<void> {
    return this.end({});
  }

  /** Ends the session that asks. */
  logout(): Promise<void> {
    return this.end({ only: currentSession().sessionId });
  }

  private async end(which: { only?: string }, mustBe?: string): Promise<void> {
    const { personId, clientId } = currentSession();
    await this.unitOfWork.run(async (tx) => {
      const ended = await endSessions(tx, personId, which);
      if (mustBe && ended.length === 0) throw new NotFoundProblem('session');
      for (const objectId of ended) {
        const kind = objectId === currentSession().sessionId ? 'logout' : 'session.revoked';
        await this.audit.record(tx, bookOf({ clientId }), { kind, objectId });
      }
    });
    this.directory.forget(personId);
  }
}

function present(row: SessionRow, current: string): SessionObject {
  return {
    id: row.id,
    object: 'session',
    current: row.id === current,
    ip: row.ip,
    device: row.user_agent,
    second_factor_at: row.second_factor_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    last_seen_at: row.last_seen_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
