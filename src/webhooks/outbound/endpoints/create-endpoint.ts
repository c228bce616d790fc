import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import { ValidationProblem } from '../../../platform/http/problem';
import { currentAccess } from '../../../platform/http/request-context';
import { newId } from '../../../platform/identifiers';
import type { Book } from '../../../platform/outbox/outbox';
import { newEndpointSecret } from '../standard-webhooks';
import { EndpointSecrets } from './endpoint-secrets';
import { EndpointUrlCheck } from './endpoint-url-check';
import { type EndpointRow, type EndpointWithSecret, presentEndpoint } from './webhook-endpoint';
import type { CreateEndpointBody } from './webhook-endpoints.dto';

/** Per client and mode: every event is written once for each of them. */
const MAX_ENDPOINTS = 16;

/** Adds an endpoint and shows its secret, this once. */
@Injectable()
export class CreateEndpoint {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly urls: EndpointUrlCheck,
    private readonly secrets: EndpointSecrets,
    private readonly audit: AuditLog,
  ) {}

  /** 422 for an address that we may not or cannot send to, and for one endpoint too many. */
  async create({ url, events, description }: CreateEndpointBody): Promise<EndpointWithSecret> {
    const refusal = await this.urls.refusalOf(url);
    return this.unitOfWork.run(async (tx) => {
      if (refusal) throw refusal;
      const { clientId, livemode } = currentAccess();
      await refuseOneTooMany(tx, { clientId, livemode });
      const id = newId('we');
      const secret = newEndpointSecret();
      const [row] = await tx.query<EndpointRow>(
        `insert into webhook_endpoints (client_id, livemode, id, url, description, events, secret)
         values ($1, $2, $3, $4, $5, $6, $7) returning *`,
        [clientId, livemode, id, url, description ?? null, events, this.secrets.seal(secret, 'secret', clientId, id)],
      );
      const endpoint = presentEndpoint(row);
      await this.audit.record(tx, { clientId, livemode }, { kind: 'webhook_endpoint.created', objectId: id, after: endpoint });
      return { ...endpoint, secret };
    });
  }
}

async function refuseOneTooMany(tx: Tx, { clientId, livemode }: Book): Promise<void> {
  // Two creations at once would each count without the other; payments do not wait for this lock.
  await tx.query('select from clients where id = $1 for no key update', [clientId]);
  const [{ count }] = await tx.query<{ count: number }>(
    'select count(*)::integer as count from webhook_endpoints where client_id = $1 and livemode = $2',
    [clientId, livemode],
  );
  if (count >= MAX_ENDPOINTS) {
    const message = `there are ${MAX_ENDPOINTS} endpoints already; delete one first`;
    throw new ValidationProblem([{ field: 'url', code: 'too_many', message }]);
  }
}
