import { Injectable, type StreamableFile } from '@nestjs/common';
import { StaffExports } from '../../audit/staff-exports';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { columnsOf } from '../../platform/http/csv-export';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import { depositFromRow, type UnmatchedRow } from './unmatched-deposit';
import type { ListUnmatchedQuery } from './unmatched.dto';
import { presentUnmatched, type UnmatchedObject, unmatchedObject } from './unmatched-presenter';

const COLUMNS = columnsOf(unmatchedObject);

/** Reads the inbox of money that no payment took, across clients, for staff. */
@Injectable()
export class UnmatchedReader {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly exports: StaffExports,
  ) {}

  async get(id: string): Promise<UnmatchedObject> {
    const [row] = await this.unitOfWork.read<UnmatchedRow>('get_unmatched', 'select * from unmatched_deposits where id = $1', [id]);
    if (!row) throw new NotFoundProblem('unmatched deposit');
    return presentUnmatched(depositFromRow(row));
  }

  /**
   * A page, newest first. Indexes: the unique one on the id for all, unmatched_deposits_by_status and unmatched_deposits_by_client; what
   * has to be looked at has the status `open`, of which there are few, so provider and reason are picked out of that.
   */
  async list(query: ListUnmatchedQuery): Promise<Page<UnmatchedObject>> {
    return toPage(await this.rows(query), query, presentRow);
  }

  /** All that the filters let through, as CSV, the oldest first. */
  csv(query: ListUnmatchedQuery): Promise<StreamableFile> {
    const rows = (page: PageQuery) => this.rows({ ...query, ...page });
    return this.exports.export({ name: 'unmatched-deposits', prefix: 'dep', columns: COLUMNS, rows, present: presentRow }, query);
  }

  private rows({ status, provider, client, reason, ...page }: ListUnmatchedQuery): Promise<UnmatchedRow[]> {
    const clause = keyset('dep', { status, client_id: client, provider, reason }, page);
    return this.unitOfWork.read<UnmatchedRow>('', `select * from unmatched_deposits ${clause.sql}`, clause.values);
  }
}

function presentRow(row: UnmatchedRow): UnmatchedObject {
  return presentUnmatched(depositFromRow(row));
}
