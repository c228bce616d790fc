import { Injectable, type StreamableFile } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { columnsOf, exportList } from '../platform/http/csv-export';
import { keyset, type Page, type PageQuery, toPage } from '../platform/http/pagination';
import { NotFoundProblem } from '../platform/http/problem';
import { currentAccess } from '../platform/http/request-context';
import type { Book } from '../platform/outbox/outbox';
import { paymentFromRow, type Payment, type PaymentRow } from './payment';
import { type PaymentObject, paymentObject, presentPayment } from './payment-presenter';
import type { ListPaymentsQuery } from './payments.dto';

const COLUMNS = columnsOf(paymentObject);

interface TimelineEntry {
  id: string;
  type: string;
  at: string;
  status: string;
  exception: string | null;
  amount_received: string;
}

/** Reads payments of the caller's own book; another client's or the other mode's are not found. */
@Injectable()
export class PaymentReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One payment. */
  async get(id: string): Promise<PaymentObject> {
    return presentPayment(await this.find(id));
  }

  /** One payment as the domain knows it. */
  async find(id: string): Promise<Payment> {
    const { clientId, livemode } = currentAccess();
    const [row] = await this.unitOfWork.read<PaymentRow>(
      'get_payment',
      'select * from payments where client_id = $1 and livemode = $2 and id = $3',
      [clientId, livemode, id],
    );
    if (!row) throw new NotFoundProblem('payment');
    return paymentFromRow(row);
  }

  /** A page of payments, newest first. */
  async list(query: ListPaymentsQuery): Promise<Page<PaymentObject>> {
    return toPage(await this.rows(currentAccess(), query), query, presentRow);
  }

  /** All payments that the filters let through, as CSV, the oldest first. */
  csv(query: ListPaymentsQuery): StreamableFile {
    const book = currentAccess();
    const rows = (page: PageQuery) => this.rows(book, { ...query, ...page });
    return exportList({ name: 'payments', prefix: 'pay', columns: COLUMNS, rows, present: presentRow }, query);
  }

  private rows({ clientId, livemode }: Book, { status, method, currency, customer, ...page }: ListPaymentsQuery): Promise<PaymentRow[]> {
    const clause = keyset('pay', { client_id: clientId, livemode, status, method, currency, customer }, page);
    return this.unitOfWork.read<PaymentRow>('', `select * from payments ${clause.sql}`, clause.values);
  }

  /** What happened to a payment, newest first: the events that told it, with the payment as it then was. */
  async timeline(id: string, page: PageQuery): Promise<Page<TimelineEntry>> {
    const { clientId, livemode } = currentAccess();
    await this.find(id);
    const clause = keyset('evt', { client_id: clientId, livemode, object_id: id }, page);
    const rows = await this.unitOfWork.read<{ id: string; type: string; created_at: Date; data: PaymentObject }>(
      '',
      `select id, type, created_at, data from events ${clause.sql}`,
      clause.values,
    );
    return toPage(rows, page, ({ id: eventId, type, created_at, data }) => ({
      id: eventId,
      type,
      at: created_at.toISOString(),
      status: data.status,
      exception: data.exception,
      amount_received: data.amount_received,
    }));
  }
}

function presentRow(row: PaymentRow): PaymentObject {
  return presentPayment(paymentFromRow(row));
}
