import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import { type DestinationObject, type DestinationRow, presentDestination } from './destination';
import type { ListDestinationsQuery } from './destinations.dto';

/** Reads destinations of the caller's own book. A deleted one is not found. */
@Injectable()
export class DestinationReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One destination. */
  async get(id: string): Promise<DestinationObject> {
    const { clientId, livemode } = currentAccess();
    const [row] = await this.unitOfWork.read<DestinationRow>(
      'get_destination',
      'select * from destinations where client_id = $1 and livemode = $2 and id = $3 and deleted_at is null',
      [clientId, livemode, id],
    );
    if (!row) throw new NotFoundProblem('destination');
    return presentDestination(row);
  }

  /** A page of destinations, newest first. */
  async list({ type, ...page }: ListDestinationsQuery): Promise<Page<DestinationObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('dst', { client_id: clientId, livemode, type }, page, 'deleted_at is null');
    const rows = await this.unitOfWork.read<DestinationRow>('', `select * from destinations ${clause.sql}`, clause.values);
    return toPage(rows, page, presentDestination);
  }
}
