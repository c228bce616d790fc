import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { type AlertRow, presentAlert } from './alert';
import { AlertDeliveries } from './alert-deliveries';
import { AlertReader } from './alert-reader';
import type { AcknowledgeBody, AlertWithDeliveries, ResolveBody } from './alerts.dto';

const ACKNOWLEDGE = `
  with changed as (
    update alerts set status = 'acknowledged', acknowledged_by = $2, acknowledged_at = now(), note = coalesce($3, note), next_escalation_at = null
     where id = $1 returning *
  )
  select * from changed`;
/** What comes after the end is not added here any more. */
const RESOLVE = `
  with changed as (
    update alerts set status = 'resolved', resolved_by = $2, resolved_at = now(), note = $3, next_escalation_at = null,
                      quiet_until = least(quiet_until, now())
     where id = $1 returning *
  )
  select * from changed`;

/** People take alerts and end them. The channels that keep incidents of their own are told. */
@Injectable()
export class HandleAlert {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    private readonly deliveries: AlertDeliveries,
    private readonly reader: AlertReader,
  ) {}

  /** Ends the escalation. Asking twice changes nothing the second time; 409 for one that is resolved. */
  async acknowledge(id: string, { note }: AcknowledgeBody): Promise<AlertWithDeliveries> {
    const { personId } = currentSession();
    await this.unitOfWork.run(async (tx) => {
      const before = await lockOpen(tx, id);
      if (before.status === 'acknowledged') return;
      const [after] = await tx.query<AlertRow>(ACKNOWLEDGE, [id, personId, note ?? null]);
      await this.record(tx, 'alert.acknowledged', before, after);
      await this.deliveries.cancel(tx, id, ['escalation']);
      await this.deliveries.planFollowUp(tx, id, 'acknowledge');
    });
    return this.reader.get(id);
  }

  /** Ends the alert; what was not sent yet is not sent any more. 409 for one that is resolved. */
  async resolve(id: string, { note }: ResolveBody): Promise<AlertWithDeliveries> {
    const { personId } = currentSession();
    await this.unitOfWork.run(async (tx) => {
      const before = await lockOpen(tx, id);
      const [after] = await tx.query<AlertRow>(RESOLVE, [id, personId, note]);
      await this.record(tx, 'alert.resolved', before, after);
      await this.deliveries.cancel(tx, id, ['trigger', 'escalation', 'acknowledge']);
      await this.deliveries.planFollowUp(tx, id, 'resolve');
    });
    return this.reader.get(id);
  }

  private record(tx: Tx, kind: string, before: AlertRow, after: AlertRow): Promise<void> {
    return this.audit.record(tx, undefined, { kind, objectId: after.id, before: presentAlert(before), after: presentAlert(after) });
  }
}

async function lockOpen(tx: Tx, id: string): Promise<AlertRow> {
  const [row] = await tx.query<AlertRow>('select * from alerts where id = $1 for update', [id]);
  if (!row) throw new NotFoundProblem('alert');
  if (row.status === 'resolved') throw new Problem('state_conflict', 'This alert is resolved. What happens from now on raises a new one.');
  return row;
}
