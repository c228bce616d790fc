import { Injectable, type StreamableFile } from '@nestjs/common';
import { StaffExports } from '../../../audit/staff-exports';
import { decisionsOf } from '../../../auth/decisions/decision-records';
import { payoutsOf } from '../../../payouts/payout-records';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { columnsOf } from '../../../platform/http/csv-export';
import { keyset, type Page, type PageQuery, toPage } from '../../../platform/http/pagination';
import { refundFromRow, type RefundRow } from '../refund';
import { findRefund } from '../refund-lookup';
import { type AdminRefundObject, adminRefundObject, presentRefundToStaff } from '../refund-presenter';
import type { AdminListRefundsQuery } from '../refunds.dto';
import type { RefundFile } from './refund-file';

const COLUMNS = columnsOf(adminRefundObject);

/** Reads refunds of all clients, for staff: the queue of what waits for them, and each by itself. */
@Injectable()
export class AdminRefundReader {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly exports: StaffExports,
  ) {}

  /** One refund with its decisions and attempts. */
  async get(id: string): Promise<RefundFile> {
    const refund = await findRefund((sql, values = []) => this.unitOfWork.read('', sql, values), id);
    const [decisions, payouts] = await Promise.all([decisionsOf(this.unitOfWork, refund, id), payoutsOf(this.unitOfWork, refund, id)]);
    return { ...presentRefundToStaff(refund), decisions, payouts };
  }

  /**
   * A page across clients, newest first. The indexes: refunds_queue by status and mode, the primary key by client and mode, else
   * refunds_by_id.
   */
  async list(query: AdminListRefundsQuery): Promise<Page<AdminRefundObject>> {
    return toPage(await this.rows(query), query, presentRowAt(new Date()));
  }

  /** All refunds that the filters let through, as CSV, the oldest first. */
  csv(query: AdminListRefundsQuery): Promise<StreamableFile> {
    const rows = (page: PageQuery) => this.rows({ ...query, ...page });
    return this.exports.export({ name: 'refunds', prefix: 'ref', columns: COLUMNS, rows, present: presentRowAt(new Date()) }, query);
  }

  private rows({ status, client, livemode, ...page }: AdminListRefundsQuery): Promise<RefundRow[]> {
    const clause = keyset('ref', { client_id: client, livemode, status }, page);
    return this.unitOfWork.read<RefundRow>('', `select * from refunds ${clause.sql}`, clause.values);
  }
}

function presentRowAt(now: Date): (row: RefundRow) => AdminRefundObject {
  return (row) => presentRefundToStaff(refundFromRow(row), now);
}
