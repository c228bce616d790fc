import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import type { AdminListAnomaliesQuery, ListAnomaliesQuery } from './anomalies.dto';
import {
  type AdminAnomalyFile, type AdminAnomalyObject, type AnomalyChange, type AnomalyFile, type AnomalyObject, type AnomalyRow, type Changer,
  presentAnomaly, presentAnomalyToStaff, shownToClient,
} from './anomaly';

export const FIND_OWN = 'select * from anomalies where client_id = $1 and livemode = $2 and id = $3';
export const FIND_ANYWHERE = 'select * from anomalies where id = $1';

const HISTORY = `
  select occurred_at, before, after from audit_events where object_id = $1 and kind = 'anomaly.status_changed' order by id desc limit 100`;

/** A change as the audit log keeps it: see ChangeAnomaly. */
interface ChangeRow {
  occurred_at: Date;
  before: AnomalyChange['before'];
  after: AnomalyChange['after'] & { changed_by: Changer };
}

/** Reads anomalies: a client's own, and those of all clients for staff. */
@Injectable()
export class AnomalyReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One of the caller's own book, with what was made of it. */
  async get(id: string): Promise<AnomalyFile> {
    const { clientId, livemode } = currentAccess();
    const [row] = await this.unitOfWork.read<AnomalyRow>('get_anomaly', FIND_OWN, [clientId, livemode, id]);
    if (!row) throw new NotFoundProblem('anomaly');
    return { ...presentAnomaly(row), history: await this.history(id, shownToClient) };
  }

  /** A page of the caller's own book, newest first. */
  async list({ status, severity, kind, ...page }: ListAnomaliesQuery): Promise<Page<AnomalyObject>> {
    const { clientId, livemode } = currentAccess();
    const clause = keyset('ano', { client_id: clientId, livemode, status, severity, kind }, page);
    const rows = await this.unitOfWork.read<AnomalyRow>('', `select * from anomalies ${clause.sql}`, clause.values);
    return toPage(rows, page, presentAnomaly);
  }

  /** One of any client, with who made what of it. */
  async getForStaff(id: string): Promise<AdminAnomalyFile> {
    const [row] = await this.unitOfWork.read<AnomalyRow>('get_anomaly_of_any', FIND_ANYWHERE, [id]);
    if (!row) throw new NotFoundProblem('anomaly');
    return { ...presentAnomalyToStaff(row), history: await this.history(id, (by) => by) };
  }

  /** A page across clients, newest first. */
  async listForStaff({ status, severity, kind, client, livemode, ...page }: AdminListAnomaliesQuery): Promise<Page<AdminAnomalyObject>> {
    const clause = keyset('ano', { client_id: client, livemode, status, severity, kind }, page);
    const rows = await this.unitOfWork.read<AnomalyRow>('', `select * from anomalies ${clause.sql}`, clause.values);
    return toPage(rows, page, presentAnomalyToStaff);
  }

  /** The audit log is the history: it cannot be altered, so there is no second one that could say something else. */
  private async history(id: string, shown: (by: Changer) => Changer): Promise<AnomalyChange[]> {
    const rows = await this.unitOfWork.read<ChangeRow>('get_anomaly_history', HISTORY, [id]);
    return rows.map(({ occurred_at: at, before, after: { changed_by: by, ...after } }) => ({ by: shown(by), at: at.toISOString(), before, after }));
  }
}
