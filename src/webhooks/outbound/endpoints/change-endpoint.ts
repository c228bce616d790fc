import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import { cancelPending, DisableEndpoint } from './disable-endpoint';
import { lockEndpoint } from './endpoint-reader';
import { EndpointUrlCheck } from './endpoint-url-check';
import { bookOf, type EndpointObject, type EndpointRow, presentEndpoint } from './webhook-endpoint';
import type { ChangeEndpointBody } from './webhook-endpoints.dto';

/** Changes and deletes endpoints. */
@Injectable()
export class ChangeEndpoint {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly urls: EndpointUrlCheck,
    private readonly disabling: DisableEndpoint,
    private readonly audit: AuditLog,
  ) {}

  /** Disabling cancels what waits; enabling again, or another address, begins with a clean record of health. */
  async change(id: string, body: ChangeEndpointBody): Promise<EndpointObject> {
    const refusal = body.url === undefined ? undefined : await this.urls.refusalOf(body.url);
    return this.unitOfWork.run(async (tx) => {
      const before = await lockEndpoint(tx, id);
      if (refusal) throw refusal;
      const { status, ...fields } = body;
      const enables = before.status === 'disabled' && status === 'enabled';
      const changed = Object.keys(fields).length > 0 || enables ? await this.update(tx, before, body, enables) : before;
      const disables = before.status === 'enabled' && status === 'disabled';
      return presentEndpoint(disables ? await this.disabling.disable(tx, changed, 'by_client') : changed);
    });
  }

  /** Deletes an endpoint; what waited for it is canceled, what was delivered stays to be seen. */
  delete(id: string): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const before = await lockEndpoint(tx, id);
      const book = bookOf(before);
      const key = [book.clientId, book.livemode, id];
      await tx.query('delete from webhook_endpoints where client_id = $1 and livemode = $2 and id = $3', key);
      await cancelPending(tx, book, id);
      await this.audit.record(tx, book, { kind: 'webhook_endpoint.deleted', objectId: id, before: presentEndpoint(before) });
    });
  }

  private async update(tx: Tx, before: EndpointRow, body: ChangeEndpointBody, enables: boolean): Promise<EndpointRow> {
    const { url, events, description } = body;
    const startsAfresh = enables || (url !== undefined && url !== before.url);
    const [after] = await tx.query<EndpointRow>(
      `with changed as (
         update webhook_endpoints set url = $4, events = $5, description = $6, updated_at = now(),
                status = case when $7 then 'enabled' else status end,
                disabled_reason = case when $7 then null else disabled_reason end,
                failing_since = case when $8 then null else failing_since end
          where client_id = $1 and livemode = $2 and id = $3 returning *
       ) select * from changed`,
      [
        before.client_id, before.livemode, before.id, url ?? before.url, events ?? before.events,
        description === undefined ? before.description : description, enables, startsAfresh,
      ],
    );
    const [was, is] = [presentEndpoint(before), presentEndpoint(after)];
    await this.audit.record(tx, bookOf(before), { kind: 'webhook_endpoint.updated', objectId: before.id, before: was, after: is });
    return after;
  }
}
