import { Injectable, type StreamableFile } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { columnsOf, exportList } from '../../platform/http/csv-export';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { currentAccess } from '../../platform/http/request-context';
import type { Book } from '../../platform/outbox/outbox';
import { refundFromRow, type RefundRow } from './refund';
import { findRefundInBook } from './refund-lookup';
import { presentRefund, type RefundObject, refundObject } from './refund-presenter';
import type { ListRefundsQuery } from './refunds.dto';

const COLUMNS = columnsOf(refundObject);

/** Reads refunds of the caller's own book. */
@Injectable()
export class RefundReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async get(id: string): Promise<RefundObject> {
    return presentRefund(await findRefundInBook((sql, values = []) => this.unitOfWork.read('', sql, values), currentAccess(), id));
  }

  /** A page, newest first. */
  async list(query: ListRefundsQuery): Promise<Page<RefundObject>> {
    return toPage(await this.rows(currentAccess(), query), query, presentRow);
  }

  /** All refunds that the filters let through, as CSV, the oldest first. */
  csv(query: ListRefundsQuery): StreamableFile {
    const book = currentAccess();
    const rows = (page: PageQuery) => this.rows(book, { ...query, ...page });
    return exportList({ name: 'refunds', prefix: 'ref', columns: COLUMNS, rows, present: presentRow }, query);
  }

  private rows({ clientId, livemode }: Book, { payment, status, ...page }: ListRefundsQuery): Promise<RefundRow[]> {
    const clause = keyset('ref', { client_id: clientId, livemode, payment_id: payment, status }, page);
    return this.unitOfWork.read<RefundRow>('', `select * from refunds ${clause.sql}`, clause.values);
  }
}

function presentRow(row: RefundRow): RefundObject {
  return presentRefund(refundFromRow(row));
}
