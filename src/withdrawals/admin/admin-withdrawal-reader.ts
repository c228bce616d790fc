import { Injectable, type StreamableFile } from '@nestjs/common';
import { StaffExports } from '../../audit/staff-exports';
import { decisionsOf } from '../../auth/decisions/decision-records';
import { payoutsOf } from '../../payouts/payout-records';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { amountOfField } from '../../platform/http/amounts';
import { columnsOf } from '../../platform/http/csv-export';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { withdrawalFromRow, type WithdrawalRow } from '../withdrawal';
import { findAnywhere } from '../withdrawal-lookup';
import { type AdminWithdrawalObject, adminWithdrawalObject, presentWithdrawalToStaff } from '../withdrawal-presenter';
import type { AdminListQuery } from '../withdrawals.dto';
import type { WithdrawalFile } from './withdrawal-file';

const COLUMNS = columnsOf(adminWithdrawalObject);

/** Reads withdrawals of all clients, for staff: the queue of what waits for them, and all there is to know of one. */
@Injectable()
export class AdminWithdrawalReader {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly exports: StaffExports,
  ) {}

  /** One withdrawal with its decisions and attempts. */
  async get(id: string): Promise<WithdrawalFile> {
    const withdrawal = await findAnywhere((sql, values = []) => this.unitOfWork.read('', sql, values), id, false);
    const [decisions, payouts] = await Promise.all([decisionsOf(this.unitOfWork, withdrawal, id), payoutsOf(this.unitOfWork, withdrawal, id)]);
    return { ...presentWithdrawalToStaff(withdrawal), decisions, payouts };
  }

  /** A page across clients, newest first. */
  async list(query: AdminListQuery): Promise<Page<AdminWithdrawalObject>> {
    return toPage(await this.rows(query, atLeast(query)), query, presentRowAt(new Date()));
  }

  /** All withdrawals that the filters let through, as CSV, the oldest first. */
  csv(query: AdminListQuery): Promise<StreamableFile> {
    const amount = atLeast(query);
    const rows = (page: PageQuery) => this.rows({ ...query, ...page }, amount);
    return this.exports.export({ name: 'withdrawals', prefix: 'wd', columns: COLUMNS, rows, present: presentRowAt(new Date()) }, query);
  }

  private rows({ status, client, livemode, currency, ...page }: AdminListQuery, amount?: string): Promise<WithdrawalRow[]> {
    const clause = keyset('wd', { client_id: client, livemode, status, currency }, page, amount);
    return this.unitOfWork.read<WithdrawalRow>('', `select * from withdrawals ${clause.sql}`, clause.values);
  }
}

function presentRowAt(now: Date): (row: WithdrawalRow) => AdminWithdrawalObject {
  return (row) => presentWithdrawalToStaff(withdrawalFromRow(row), now);
}

/** The condition on the amount, where there is one: what stands in it is a whole number, whatever the caller wrote. */
function atLeast({ currency, amount_gte: amountGte }: AdminListQuery): string | undefined {
  return currency && amountGte ? `amount_minor >= ${amountOfField('amount_gte', amountGte, currency)}` : undefined;
}
