import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { newId } from '../../../platform/identifiers';
import { TEST_EVENT_TYPE } from '../../../platform/outbox/event-types';
import { presentEndpoint } from '../endpoints/webhook-endpoint';
import { lockEnabledEndpoint } from './redeliver-event';
import { type EventObject, type EventRow, presentEvent } from './webhook-event';

/** The event is written without emit_events, which would tell it to every endpoint that wants everything. */
const INSERT = `
  with event as (
    insert into events (client_id, livemode, id, type, object_id, data, created_at)
    values ($1, $2, $3, $4, $5, $6, $7) returning id, livemode, type, created_at, data
  ), delivery as (
    insert into webhook_deliveries (client_id, livemode, id, endpoint_id, event_id, event_type)
    select $1, $2, new_id('del'), $5, event.id, event.type from event
  )
  select * from event`;

/** Lets a merchant see an event arrive at one endpoint before real ones do. */
@Injectable()
export class SendTestEvent {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Queues an event whose data is the endpoint itself; 409 when the endpoint is disabled. */
  send(endpointId: string): Promise<EventObject> {
    return this.unitOfWork.run(async (tx) => {
      const endpoint = await lockEnabledEndpoint(tx, endpointId);
      const { client_id: clientId, livemode } = endpoint;
      const at = new Date();
      const [event] = await tx.query<EventRow>(INSERT, [
        clientId, livemode, newId('evt', at.getTime()), TEST_EVENT_TYPE, endpointId, JSON.stringify(presentEndpoint(endpoint)), at,
      ]);
      const tested = { kind: 'webhook_endpoint.tested', objectId: endpointId, after: { event: event.id } };
      await this.audit.record(tx, { clientId, livemode }, tested);
      return presentEvent(event);
    });
  }
}
