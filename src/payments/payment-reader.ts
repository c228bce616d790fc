import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../platform/http/pagination';
import { NotFoundProblem } from '../platform/http/problem';
import { currentAccess } from '../platform/http/request-context';
import { paymentFromRow, type Payment, type PaymentRow } from './payment';
import { type PaymentObject, presentPayment } from './payment-presenter';
import type { ListPaymentsQuery } from './payments.dto';

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
  async list({ status, method, currency, customer, ...page }: ListPaymentsQuery): Promise<Page<PaymentObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('pay', { client_id: clientId, livemode, status, method, currency, customer }, page);
    const rows = await this.unitOfWork.read<PaymentRow>('', `select * from payments ${clause.sql}`, clause.values);
    return toPage(rows, page, (row) => presentPayment(paymentFromRow(row)));
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
