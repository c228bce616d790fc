import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../../platform/http/pagination';
import { NotFoundProblem } from '../../../platform/http/problem';
import { currentAccess } from '../../../platform/http/request-context';
import { type EventObject, type EventRow, type ListEventsQuery, presentEvent } from './webhook-event';

const COLUMNS = 'select id, livemode, type, created_at, data from events';

/** Reads what has happened in the caller's own book. */
@Injectable()
export class EventReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One event. */
  async get(id: string): Promise<EventObject> {
    const { clientId, livemode } = currentAccess();
    const [row] = await this.unitOfWork.read<EventRow>(
      'get_event', `${COLUMNS} where client_id = $1 and livemode = $2 and id = $3`, [clientId, livemode, id],
    );
    if (!row) throw new NotFoundProblem('event');
    return presentEvent(row);
  }

  /** A page of events, newest first. */
  async list({ type, object_id, ...page }: ListEventsQuery): Promise<Page<EventObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('evt', { client_id: clientId, livemode, type, object_id }, page);
    const rows = await this.unitOfWork.read<EventRow>('', `${COLUMNS} ${clause.sql}`, clause.values);
    return toPage(rows, page, presentEvent);
  }
}
