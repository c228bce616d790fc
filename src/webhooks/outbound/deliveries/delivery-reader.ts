import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../../platform/http/pagination';
import { NotFoundProblem } from '../../../platform/http/problem';
import { currentAccess } from '../../../platform/http/request-context';
import {
  type AttemptRow, type DeliveryObject, type DeliveryRow, type DeliveryWithAttempts, type ListDeliveriesQuery, presentDelivery,
  presentWithAttempts,
} from './webhook-delivery';

type Row = DeliveryRow & (AttemptRow | { attempt: null });

/** One statement has one snapshot: a delivery is never shown with attempts that it has not yet heard of. */
const GET = `
  select d.*, a.attempt, a.started_at, a.duration_ms, a.response_status, a.error, a.response_excerpt
    from webhook_deliveries d
    left join webhook_attempts a on a.client_id = d.client_id and a.livemode = d.livemode and a.delivery_id = d.id
   where d.client_id = $1 and d.livemode = $2 and d.id = $3
   order by a.attempt`;

/** Reads the log of what was sent from the caller's own book. */
@Injectable()
export class DeliveryReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One delivery with its attempts, the first one first. */
  async get(id: string): Promise<DeliveryWithAttempts> {
    const { clientId, livemode } = currentAccess();
    const rows = await this.unitOfWork.read<Row>('get_webhook_delivery', GET, [clientId, livemode, id]);
    if (rows.length === 0) throw new NotFoundProblem('webhook delivery');
    return presentWithAttempts(rows[0], rows.filter((row) => row.attempt !== null));
  }

  /** A page of deliveries, newest first. */
  async list({ endpoint, event, status, ...page }: ListDeliveriesQuery): Promise<Page<DeliveryObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('del', { client_id: clientId, livemode, endpoint_id: endpoint, event_id: event, status }, page);
    const rows = await this.unitOfWork.read<DeliveryRow>('', `select * from webhook_deliveries ${clause.sql}`, clause.values);
    return toPage(rows, page, presentDelivery);
  }
}
