import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { currentAccess, currentContext } from '../../platform/http/request-context';
import type { ChangeAnomalyBody } from './anomalies.dto';
import {
  type AdminAnomalyObject, type AnomalyObject, type AnomalyRow, type Changer, presentAnomaly, presentAnomalyToStaff,
} from './anomaly';
import { FIND_ANYWHERE, FIND_OWN } from './anomaly-reader';
import { isClosed, mayBecome } from './anomaly-state';

/** A closed one collects no more: what follows is a new anomaly that people have to look at. */
const UPDATE = `
  with changed as (
    update anomalies set status = $4, note = $5, changed_by_type = $6, changed_by = $7, changed_at = now(), revision = revision + 1,
           collects = collects and $4 in ('open', 'investigating')
     where client_id = $1 and livemode = $2 and id = $3 and anomaly_may_become(status, $4) returning *
  )
  select * from changed`;

/** Says what people make of an anomaly: they are looking, it is dealt with, or it was none. */
@Injectable()
export class ChangeAnomaly {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** One of the caller's own book. Asking twice changes nothing. 404 for another's; 409 where the status does not allow it. */
  change(id: string, body: ChangeAnomalyBody): Promise<AnomalyObject> {
    return this.unitOfWork.run(async (tx) => {
      const { clientId, livemode } = currentAccess();
      const [row] = await tx.query<AnomalyRow>(`${FIND_OWN} for update`, [clientId, livemode, id]);
      return presentAnomaly(await this.apply(tx, row, body));
    });
  }

  /** The same by staff, for any client. */
  changeForStaff(id: string, body: ChangeAnomalyBody): Promise<AdminAnomalyObject> {
    return this.unitOfWork.run(async (tx) => {
      const [row] = await tx.query<AnomalyRow>(`${FIND_ANYWHERE} for update`, [id]);
      return presentAnomalyToStaff(await this.apply(tx, row, body));
    });
  }

  private async apply(tx: Tx, before: AnomalyRow | undefined, body: ChangeAnomalyBody): Promise<AnomalyRow> {
    if (!before) throw new NotFoundProblem('anomaly');
    const status = body.status ?? before.status;
    const note = body.note === undefined ? before.note : body.note;
    if (!mayBecome(before.status, status)) {
      throw new Problem('state_conflict', `The anomaly is ${before.status}; from there it does not become ${status}.`);
    }
    if (status === before.status && note === before.note) return before;
    const by = changedBy();
    const key = [before.client_id, before.livemode, before.id];
    const [after] = await tx.query<AnomalyRow>(UPDATE, [...key, status, note, by.type, by.id]);
    if (isClosed(before.status) && !isClosed(status)) await tx.query('select collect_again($1, $2, $3)', key);
    await this.audit.record(tx, { clientId: before.client_id, livemode: before.livemode }, {
      kind: 'anomaly.status_changed',
      objectId: before.id,
      before: { status: before.status, note: before.note },
      after: { status, note, changed_by: by },
    });
    return after;
  }
}

/** Staff are people, too; only whose session it is tells them from the client's own. */
function changedBy(): Changer {
  const { actor, session } = currentContext();
  if (session && session.clientId === null) return { type: 'staff', id: session.personId };
  const type = actor?.type === 'provider' || actor === undefined ? 'system' : actor.type;
  return { type, id: actor?.id ?? null };
}
