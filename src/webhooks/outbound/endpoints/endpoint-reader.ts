import { Injectable } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../../platform/http/pagination';
import { NotFoundProblem } from '../../../platform/http/problem';
import { currentAccess } from '../../../platform/http/request-context';
import { type EndpointObject, type EndpointRow, presentEndpoint } from './webhook-endpoint';
import type { ListEndpointsQuery } from './webhook-endpoints.dto';

const FIND = 'select * from webhook_endpoints where client_id = $1 and livemode = $2 and id = $3';

/** An endpoint of the caller's own book, locked for a change. The endpoint is always locked before its deliveries. */
export async function lockEndpoint(tx: Tx, id: string): Promise<EndpointRow> {
  const { clientId, livemode } = currentAccess();
  const [row] = await tx.query<EndpointRow>(`${FIND} for update`, [clientId, livemode, id]);
  if (!row) throw new NotFoundProblem('webhook endpoint');
  return row;
}

/** Reads endpoints of the caller's own book. */
@Injectable()
export class EndpointReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One endpoint. */
  async get(id: string): Promise<EndpointObject> {
    const { clientId, livemode } = currentAccess();
    const [row] = await this.unitOfWork.read<EndpointRow>('get_webhook_endpoint', FIND, [clientId, livemode, id]);
    if (!row) throw new NotFoundProblem('webhook endpoint');
    return presentEndpoint(row);
  }

  /** A page of endpoints, newest first. */
  async list({ status, ...page }: ListEndpointsQuery): Promise<Page<EndpointObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('we', { client_id: clientId, livemode, status }, page);
    const rows = await this.unitOfWork.read<EndpointRow>('', `select * from webhook_endpoints ${clause.sql}`, clause.values);
    return toPage(rows, page, presentEndpoint);
  }
}
