import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { idLowerBound } from '../../platform/identifiers';

/** How much is counted at most: a figure that is higher is told as this. */
const MOST = { jobs: 20_000, rows: 10_001, sessions: 200_000 } as const;

/** How many objects were looked at, and how many of them have no audit event. */
export interface AuditSample {
  checked: number;
  missing: number;
}

/** How things stand now, for the whole gateway. */
export interface Figures {
  jobs: { ready: number; scheduled: number; running: number; failed: number; ready_age_seconds: number };
  inbox: { received: number; failed: number; quarantined: number };
  deliveries: { due: number; later: number };
  withdrawals: { status: string; livemode: boolean; count: number }[];
  sessions: { total: number; most: number; people: Record<'1' | '2' | '3_to_5' | '6_to_10' | 'over_10', number> };
  blocked: number;
  audit: Record<'payment' | 'withdrawal' | 'refund', AuditSample>;
  /** Absent until the ledger was checked for the first time. */
  ledger: { at_seconds: number; ok: boolean; duration_ms: number } | null;
}

const JOBS = `
  select json_build_object(
    'ready', count(*) filter (where is_available and run_at <= now()), 'scheduled', count(*) filter (where is_available and run_at > now()),
    'running', count(*) filter (where locked_at is not null), 'failed', count(*) filter (where locked_at is null and attempts >= max_attempts),
    'ready_age_seconds', coalesce(extract(epoch from now() - min(run_at) filter (where is_available and run_at <= now())), 0))
    from (select is_available, run_at, locked_at, attempts, max_attempts from graphile_worker._private_jobs limit ${MOST.jobs}) j`;
const INBOX = `
  select json_object_agg(s.status, (select count(*) from (select from inbox_events i where i.status = s.status limit ${MOST.rows}) found))
    from unnest(array['received', 'failed', 'quarantined']) s (status)`;
const DELIVERIES = `
  select json_build_object('due', count(*) filter (where next_attempt_at <= now()), 'later', count(*) filter (where next_attempt_at > now()))
    from (select next_attempt_at from webhook_deliveries where status = 'pending' limit ${MOST.rows}) d`;
const WITHDRAWALS = `
  select json_agg(json_build_object('status', s.status, 'livemode', m.livemode, 'count', (
           select count(*) from (select from withdrawals w where w.status = s.status and w.livemode = m.livemode limit ${MOST.rows}) found)))
    from unnest(array['pending_review', 'approved', 'processing']) s (status) cross join unnest(array[true, false]) m (livemode)`;
const SESSIONS = `
  select json_build_object('total', coalesce(sum(n), 0), 'most', coalesce(max(n), 0), 'people', json_build_object(
           '1', count(*) filter (where n = 1), '2', count(*) filter (where n = 2), '3_to_5', count(*) filter (where n between 3 and 5),
           '6_to_10', count(*) filter (where n between 6 and 10), 'over_10', count(*) filter (where n > 10)))
    from (select count(*) as n from (
            select person_id from sessions where revoked_at is null and expires_at > now() limit ${MOST.sessions}) open
           group by person_id) p`;
const BLOCKED = `
  select count(*)::integer
    from (select from ip_blocks where kind = 'block' and released_at is null and expires_at > now() limit ${MOST.rows}) b`;
const LEDGER = `
  select json_build_object('at_seconds', extract(epoch from occurred_at), 'ok', after -> 'ok', 'duration_ms', after -> 'duration_ms')
    from audit_events where object_id = 'ledger' and kind = 'ledger.checked' order by id desc limit 1`;

/** The newest objects since `$at`, each looked up in the log: never the whole log, however the planner estimates it. */
const audited = (table: string, at: number) => `
  select json_build_object('checked', count(*), 'missing', count(*) filter (where a.found is null))
    from (select id from ${table} where id >= $${at} order by id desc limit $1) o
    left join lateral (select true as found from audit_events e where e.object_id = o.id limit 1) a on true`;

const ALL = `
  select (${JOBS}) as jobs, (${INBOX}) as inbox, (${DELIVERIES}) as deliveries, (${WITHDRAWALS}) as withdrawals, (${SESSIONS}) as sessions,
         (${BLOCKED}) as blocked, (${LEDGER}) as ledger,
         json_build_object('payment', (${audited('payments', 2)}), 'withdrawal', (${audited('withdrawals', 3)}),
                           'refund', (${audited('refunds', 4)})) as audit`;

/** Reads how things stand, for metrics and for the summary: one round trip, and no part of it reads more than it is allowed to. */
@Injectable()
export class CurrentFigures {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** `auditedSince` and `auditedAtMost` say which objects are looked up in the audit log: the newest of each kind. */
  async read(auditedSince: Date, auditedAtMost: number): Promise<Figures> {
    const bounds = (['pay', 'wd', 'ref'] as const).map((prefix) => idLowerBound(prefix, auditedSince));
    const [figures] = await this.unitOfWork.read<Figures>('current_figures', ALL, [auditedAtMost, ...bounds]);
    return figures;
  }
}

/** The part that has its audit event; 1 where there is nothing that could lack one. */
export function completeness({ checked, missing }: AuditSample): number {
  return checked === 0 ? 1 : (checked - missing) / checked;
}
