import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../platform/http/pagination';
import type {
  AuditEventObject, SecurityEventObject, SecurityEventsQuery, SuspiciousQuery, UserAuditQuery,
} from './audit-queries.dto';

const HOUR_MS = 3_600_000;
const AUDIT_COLUMNS = `id, occurred_at, client_id, livemode, kind, actor_type, actor_id, object_id, ip, user_agent, request_id, api_version, before, after`;
const SECURITY_COLUMNS = `id, kind, severity, source, client_id, actor_id, route, user_agent, request_id, api_version, action, mitigated, details,
                          count, occurred_at, last_at`;

export interface AuditRow {
  id: string;
  occurred_at: Date;
  client_id: string | null;
  livemode: boolean | null;
  kind: string;
  actor_type: AuditEventObject['actor']['type'];
  actor_id: string | null;
  object_id: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  api_version: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

type SecurityRow = Omit<SecurityEventObject, 'object' | 'client' | 'actor' | 'count' | 'occurred_at' | 'last_at'> & {
  client_id: string | null;
  actor_id: string | null;
  count: string;
  occurred_at: Date;
  last_at: Date;
};

/** Reads the two logs for staff: what was done, and what was refused or looked wrong. Each query walks one index. */
@Injectable()
export class AuditQueries {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** What a person did, and what others did to them, newest first. */
  async ofUser(userId: string, query: UserAuditQuery): Promise<Page<AuditEventObject>> {
    const page = since(query);
    // Two indexes serve the two halves; the outer order takes from both only as much as the page holds.
    const by = keyset('aud', { actor_id: userId }, page);
    const about = keyset('aud', { object_id: userId }, page, 'actor_id is distinct from object_id');
    const shifted = about.sql.replace(/\$(\d+)/g, (_, at) => `$${Number(at) + by.values.length}`);
    const direction = page.ending_before ? 'asc' : 'desc';
    const rows = await this.unitOfWork.read<AuditRow>(
      '',
      `select * from ((select ${AUDIT_COLUMNS} from audit_events ${by.sql}) union all (select ${AUDIT_COLUMNS} from audit_events ${shifted})) found
        order by id ${direction} limit $${by.values.length}`,
      [...by.values, ...about.values],
    );
    return toPage(rows, page, presentAuditEvent);
  }

  /** What the rules for suspicious activity have flagged, newest first. */
  suspicious(query: SuspiciousQuery): Promise<Page<SecurityEventObject>> {
    return this.securityPage({ severity: query.severity }, query, "kind like 'suspicious.%'");
  }

  /** Everything that was refused or looked wrong, newest first. */
  securityEvents(query: SecurityEventsQuery): Promise<Page<SecurityEventObject>> {
    return this.securityPage({ severity: query.severity, kind: query.kind, actor_id: query.user, client_id: query.client }, query);
  }

  private async securityPage(equalities: Record<string, unknown>, query: PageQuery & { hours?: number }, also?: string) {
    const page = since(query);
    const clause = keyset('sev', equalities, page, also);
    const rows = await this.unitOfWork.read<SecurityRow>('', `select ${SECURITY_COLUMNS} from security_events ${clause.sql}`, clause.values);
    return toPage(rows, page, presentSecurityEvent);
  }
}

/** `hours` is another way to say since when; of two the later counts. */
function since(query: PageQuery & { hours?: number }): PageQuery {
  if (query.hours === undefined) return query;
  const from = new Date(Date.now() - query.hours * HOUR_MS).toISOString();
  return { ...query, created_gte: query.created_gte && new Date(query.created_gte) > new Date(from) ? query.created_gte : from };
}

/** An audit event as the API shows it. */
export function presentAuditEvent(row: AuditRow): AuditEventObject {
  const { occurred_at: at, client_id: client, actor_type: type, actor_id: id, ...rest } = row;
  return { ...rest, object: 'audit_event', actor: { type, id }, client, occurred_at: at.toISOString() };
}

function presentSecurityEvent(row: SecurityRow): SecurityEventObject {
  const { client_id: client, actor_id: actor, count, occurred_at: at, last_at: last, ...rest } = row;
  return { ...rest, object: 'security_event', client, actor, count: Number(count), occurred_at: at.toISOString(), last_at: last.toISOString() };
}
