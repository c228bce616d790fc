import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import type { Page } from '../../../platform/http/pagination';
import { NotFoundProblem, Problem } from '../../../platform/http/problem';
import { currentAccess } from '../../../platform/http/request-context';
import { type DeliveryObject, type DeliveryRow, presentDelivery } from '../deliveries/webhook-delivery';
import { lockEndpoint } from '../endpoints/endpoint-reader';
import type { RedeliverBody } from './webhook-event';

const INSERT = `
  insert into webhook_deliveries (client_id, livemode, id, endpoint_id, event_id, event_type)
  select w.client_id, w.livemode, new_id('del'), w.id, v.id, v.type
    from events v join webhook_endpoints w on w.client_id = v.client_id and w.livemode = v.livemode and w.status = 'enabled'
   where v.client_id = $1 and v.livemode = $2 and v.id = $3
     and (w.id = $4 or ($4::text is null and w.events && array['*', split_part(v.type, '.', 1) || '.*', v.type]))
  returning *`;

/** Sends an event once more, as a new delivery with attempts of its own. */
@Injectable()
export class RedeliverEvent {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Answers the new deliveries: to one endpoint, whatever it subscribes to, or to every enabled one that wants such events. */
  redeliver(eventId: string, { endpoint }: RedeliverBody): Promise<Page<DeliveryObject>> {
    return this.unitOfWork.run(async (tx) => {
      const access = currentAccess();
      await refuseUnknown(tx, eventId);
      if (endpoint) await lockEnabledEndpoint(tx, endpoint);
      const rows = await tx.query<DeliveryRow>(INSERT, [access.clientId, access.livemode, eventId, endpoint ?? null]);
      const deliveries = rows.map(presentDelivery);
      const after = { deliveries: deliveries.map(({ id }) => id) };
      await this.audit.record(tx, access, { kind: 'event.redelivered', objectId: eventId, after });
      return { object: 'list', data: deliveries, has_more: false };
    });
  }
}

/** Locks an endpoint that something is about to be sent to; 409 when it is disabled, because it would never get it. */
export async function lockEnabledEndpoint(tx: Tx, id: string) {
  const endpoint = await lockEndpoint(tx, id);
  if (endpoint.status === 'disabled') throw new Problem('state_conflict', 'This endpoint is disabled. Enable it first.');
  return endpoint;
}

async function refuseUnknown(tx: Tx, eventId: string): Promise<void> {
  const { clientId, livemode } = currentAccess();
  const found = await tx.query('select from events where client_id = $1 and livemode = $2 and id = $3', [clientId, livemode, eventId]);
  if (found.length === 0) throw new NotFoundProblem('event');
}
