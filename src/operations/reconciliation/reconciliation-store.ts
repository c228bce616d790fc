import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import type {
  ListReconciliationsQuery, ReconciliationObject, ReconciliationPart, ReconciliationSummary,
} from './reconciliations.dto';
import type { ReportDay } from './report-day';

interface ReconciliationRow {
  id: string;
  day: string;
  livemode: boolean;
  result: { parts: ReconciliationPart[] };
  differences: number;
  made_at: Date;
}

/** Two rows a day: no list of them is so long that it would need more than their key. */
const RECONCILIATIONS = `
  select to_char(day, 'YYYY-MM-DD') || case when livemode then '-live' else '-test' end as id, to_char(day, 'YYYY-MM-DD') as day, livemode,
         result, differences, made_at
    from reconciliations`;

const UPSERT = `
  insert into reconciliations (day, livemode, result, differences, made_at) values ($1, $2, $3, $4, clock_timestamp())
  on conflict (day, livemode) do update set result = excluded.result, differences = excluded.differences, made_at = excluded.made_at`;

/** Days that were over when they were compared are done. Before the first one that ever was, nothing is missing but yesterday. */
const UNDONE = `
  select to_char(d, 'YYYY-MM-DD') as day
    from generate_series($1::date - 6, $1::date, interval '1 day') d
   where not exists (select from reconciliations r
                      where r.livemode = $2 and r.day = d and r.made_at >= (r.day + 1)::timestamp at time zone 'UTC')
     and (d = $1::date or exists (select from reconciliations r where r.livemode = $2 and r.day <= d))
   order by d`;

/** Keeps each day's comparison; a new one takes the place of the day's last one. */
@Injectable()
export class ReconciliationStore {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Keeps a comparison and answers it. Audited as `reconciliation.made` by the context's actor. */
  async keep({ day, livemode }: ReportDay, parts: ReconciliationPart[], differences: number): Promise<ReconciliationObject> {
    await this.unitOfWork.run(async (tx) => {
      await tx.query(UPSERT, [day, livemode, JSON.stringify({ parts }), differences]);
      await this.audit.record(tx, undefined, {
        kind: 'reconciliation.made', objectId: idOf(day, livemode), after: { day, livemode, differences },
      });
    });
    return this.get(day, livemode);
  }

  /** Throws NotFoundProblem for a day that was not compared. */
  async get(day: string, livemode: boolean): Promise<ReconciliationObject> {
    const [row] = await this.unitOfWork.read<ReconciliationRow & Record<string, unknown>>(
      'get_reconciliation', `${RECONCILIATIONS} where day = $1 and livemode = $2`, [day, livemode],
    );
    if (!row) throw new NotFoundProblem('reconciliation');
    return { ...presentSummary(row), parts: row.result.parts };
  }

  /** A page, the newest day first. */
  async list({ livemode, ...page }: ListReconciliationsQuery): Promise<Page<ReconciliationSummary>> {
    // The identifiers are days and sort as such. The prefix serves filters by time of birth, which this list does not have.
    const clause = keyset('req', { livemode }, page);
    const sql = `select * from (${RECONCILIATIONS}) r ${clause.sql}`;
    const rows = await this.unitOfWork.read<ReconciliationRow & Record<string, unknown>>('', sql, clause.values);
    return toPage(rows, page, presentSummary);
  }

  /** The days up to a closed one, at most a week back, that were not compared since they were over; oldest first. */
  async undone(upTo: string, livemode: boolean): Promise<string[]> {
    return (await this.unitOfWork.read<{ day: string }>('', UNDONE, [upTo, livemode])).map(({ day }) => day);
  }
}

function idOf(day: string, livemode: boolean): string {
  return `${day}-${livemode ? 'live' : 'test'}`;
}

function presentSummary({ id, day, livemode, differences, made_at: madeAt }: ReconciliationRow): ReconciliationSummary {
  return { id, object: 'reconciliation', day, livemode, differences, made_at: madeAt.toISOString() };
}
