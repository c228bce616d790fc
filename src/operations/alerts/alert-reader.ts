import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import { type AlertRow, presentAlert } from './alert';
import type { AlertDeliveryObject, AlertObject, AlertWithDeliveries, ListAlertsQuery } from './alerts.dto';

type DeliveryRow = Omit<AlertDeliveryObject, 'next_attempt_at' | 'sent_at'> & { next_attempt_at: Date | null; sent_at: Date | null };

const DELIVERIES = `
  select channel, stage, level, status, attempts, last_error, next_attempt_at, sent_at
    from alert_deliveries where alert_id = $1 order by created_at, channel`;

/** Reads alerts for staff. */
@Injectable()
export class AlertReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page, newest first. */
  async list({ status, severity, rule, ...page }: ListAlertsQuery): Promise<Page<AlertObject>> {
    const clause = keyset('alr', { status, severity, rule }, page);
    const rows = await this.unitOfWork.read<AlertRow>('', `select * from alerts ${clause.sql}`, clause.values);
    return toPage(rows, page, presentAlert);
  }

  /** One with everything that was sent for it. 404 for what never was. */
  async get(id: string): Promise<AlertWithDeliveries> {
    const [row] = await this.unitOfWork.read<AlertRow>('', 'select * from alerts where id = $1', [id]);
    if (!row) throw new NotFoundProblem('alert');
    const deliveries = await this.unitOfWork.read<DeliveryRow>('', DELIVERIES, [id]);
    return { ...presentAlert(row), deliveries: deliveries.map(presentDelivery) };
  }
}

function presentDelivery({ next_attempt_at: nextAttemptAt, sent_at: sentAt, ...rest }: DeliveryRow): AlertDeliveryObject {
  return { ...rest, next_attempt_at: nextAttemptAt?.toISOString() ?? null, sent_at: sentAt?.toISOString() ?? null };
}
