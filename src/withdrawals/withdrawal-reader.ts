import { Injectable, type StreamableFile } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { columnsOf, exportList } from '../platform/http/csv-export';
import { keyset, type Page, type PageQuery, toPage } from '../platform/http/pagination';
import { currentAccess } from '../platform/http/request-context';
import type { Book } from '../platform/outbox/outbox';
import { withdrawalFromRow, type WithdrawalRow } from './withdrawal';
import { findInBook } from './withdrawal-lookup';
import { presentWithdrawal, type WithdrawalObject, withdrawalObject } from './withdrawal-presenter';
import type { ListWithdrawalsQuery } from './withdrawals.dto';

const COLUMNS = columnsOf(withdrawalObject);

/** Reads withdrawals of the caller's own book. */
@Injectable()
export class WithdrawalReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async get(id: string): Promise<WithdrawalObject> {
    return presentWithdrawal(await findInBook((sql, values = []) => this.unitOfWork.read('', sql, values), currentAccess(), id, false));
  }

  /** A page, newest first. */
  async list(query: ListWithdrawalsQuery): Promise<Page<WithdrawalObject>> {
    return toPage(await this.rows(currentAccess(), query), query, presentRow);
  }

  /** All withdrawals that the filters let through, as CSV, the oldest first. */
  csv(query: ListWithdrawalsQuery): StreamableFile {
    const book = currentAccess();
    const rows = (page: PageQuery) => this.rows(book, { ...query, ...page });
    return exportList({ name: 'withdrawals', prefix: 'wd', columns: COLUMNS, rows, present: presentRow }, query);
  }

  private rows({ clientId, livemode }: Book, { status, destination, ...page }: ListWithdrawalsQuery): Promise<WithdrawalRow[]> {
    const clause = keyset('wd', { client_id: clientId, livemode, status, destination_id: destination }, page);
    return this.unitOfWork.read<WithdrawalRow>('', `select * from withdrawals ${clause.sql}`, clause.values);
  }
}

function presentRow(row: WithdrawalRow): WithdrawalObject {
  return presentWithdrawal(withdrawalFromRow(row));
}
