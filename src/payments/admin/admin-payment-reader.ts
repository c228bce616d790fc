import { Injectable, type StreamableFile } from '@nestjs/common';
import { StaffExports } from '../../audit/staff-exports';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { paymentFromRow, type Payment, type PaymentRow } from '../payment';
import {
  ADMIN_PAYMENT_COLUMNS, type AdminPaymentObject, type ChainTransferRow, type PaymentFile, presentChainTransfer,
  presentPaymentToStaff, presentReceipt, type ReceiptRow,
} from './admin-payment-presenter';
import type { AdminListPaymentsQuery } from './admin-payments.dto';
import { findOverride, presentOverride } from './payment-override';
import { findForStaff, outside } from './staff-lookup';

const RECEIPTS = `
  select provider, reference, amount_minor, credited_minor, received_at
    from payment_receipts where client_id = $1 and livemode = $2 and payment_id = $3 order by received_at, provider, reference`;
const CHAIN_TRANSFERS = `
  select hash, contract, state, amount_minor, from_address, block_time, confirmations
    from chain_transfers where address = $1 and chain = 'tron' order by block_time, hash, contract`;

/** Reads payments of all clients, for staff. */
@Injectable()
export class AdminPaymentReader {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly exports: StaffExports,
  ) {}

  /** One payment with everything that arrived for it and was said about it. */
  async get(id: string): Promise<PaymentFile> {
    const query = outside(this.unitOfWork);
    const { payment } = await findForStaff(query, id, false);
    const [receipts, override, transfers] = await Promise.all([
      query<ReceiptRow>(RECEIPTS, [payment.clientId, payment.livemode, id]),
      findOverride(query, payment),
      this.chainTransfers(payment),
    ]);
    return {
      ...presentPaymentToStaff(payment),
      receipts: receipts.map((row) => presentReceipt(row, payment)),
      override: override ? presentOverride(override, payment) : null,
      chain_transfers: transfers.map(presentChainTransfer),
    };
  }

  /**
   * A page across clients, newest first. Indexes: payments_by_id for all; the primary key, payments_by_status and payments_by_method for a
   * client; payments_everywhere for a status; payments_exceptions for an exception.
   */
  async list(query: AdminListPaymentsQuery): Promise<Page<AdminPaymentObject>> {
    return toPage(await this.rows(query), query, presentRow);
  }

  /** All payments that the filters let through, as CSV, the oldest first. */
  csv(query: AdminListPaymentsQuery): Promise<StreamableFile> {
    const rows = (page: PageQuery) => this.rows({ ...query, ...page });
    return this.exports.export({ name: 'payments', prefix: 'pay', columns: ADMIN_PAYMENT_COLUMNS, rows, present: presentRow }, query);
  }

  private rows({ client, livemode, status, method, exception, ...page }: AdminListPaymentsQuery): Promise<PaymentRow[]> {
    const equalities = { client_id: client, livemode, status, method, exception };
    // These indexes lead with the mode, so where it is open each mode is read by itself: no deeper than a page.
    const isEachMode = livemode === undefined && (client !== undefined || status !== undefined);
    const clause = keyset('pay', equalities, page, isEachMode ? 'livemode = mode.livemode' : undefined);
    const sql = isEachMode
      ? `select p.* from (values (true), (false)) mode (livemode) cross join lateral (select * from payments ${clause.sql}) p
          order by p.id ${page.ending_before ? 'asc' : 'desc'} limit $${clause.values.length}`
      : `select * from payments ${clause.sql}`;
    return this.unitOfWork.read<PaymentRow>('', sql, clause.values);
  }

  private async chainTransfers({ depositAddress }: Payment): Promise<ChainTransferRow[]> {
    return depositAddress ? this.unitOfWork.read<ChainTransferRow>('chain_transfers_to', CHAIN_TRANSFERS, [depositAddress]) : [];
  }
}

function presentRow(row: PaymentRow): AdminPaymentObject {
  return presentPaymentToStaff(paymentFromRow(row));
}
