import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import type { Tx } from '../../../platform/database/unit-of-work';
import { type Book, Outbox } from '../../../platform/outbox/outbox';
import { bookOf, type DisabledReason, type EndpointRow, presentEndpoint } from './webhook-endpoint';

/** Takes an endpoint out of service: what waits for it is canceled, and the client's other endpoints are told. */
@Injectable()
export class DisableEndpoint {
  constructor(
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
  ) {}

  /** Disables a locked endpoint inside a change and answers it as it is then. */
  async disable(tx: Tx, before: EndpointRow, reason: DisabledReason): Promise<EndpointRow> {
    const book = bookOf(before);
    const [after] = await tx.query<EndpointRow>(
      `with changed as (
         update webhook_endpoints set status = 'disabled', disabled_reason = $4, updated_at = now()
          where client_id = $1 and livemode = $2 and id = $3 returning *
       ) select * from changed`,
      [book.clientId, book.livemode, before.id, reason],
    );
    await cancelPending(tx, book, before.id);
    const [was, is] = [presentEndpoint(before), presentEndpoint(after)];
    await this.outbox.emit(tx, book, [{ type: 'endpoint.disabled', objectId: before.id, data: is }]);
    await this.audit.record(tx, book, { kind: 'webhook_endpoint.disabled', objectId: before.id, before: was, after: is });
    return after;
  }
}

/** Cancels what waits for an endpoint that is leaving service. */
export async function cancelPending(tx: Tx, { clientId, livemode }: Book, endpointId: string): Promise<void> {
  await tx.query(
    `update webhook_deliveries set status = 'canceled', next_attempt_at = null
      where client_id = $1 and livemode = $2 and endpoint_id = $3 and status = 'pending'`,
    [clientId, livemode, endpointId],
  );
}
