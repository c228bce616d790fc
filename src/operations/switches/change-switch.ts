import { Injectable } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentContext, currentSession } from '../../platform/http/request-context';
import { type ChangeSwitchBody, presentSwitch, type SwitchObject, type SwitchRow } from './switches.dto';
import { isArea, Switchboard } from './switchboard';

/** Pauses and resumes payments, withdrawals or one client, by hand. */
@Injectable()
export class ChangeSwitch {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly switchboard: Switchboard,
    private readonly securityLog: SecurityLog,
  ) {}

  /** Asking twice for the same changes nothing the second time. 404 for a client that does not exist. */
  async change(body: ChangeSwitchBody): Promise<SwitchObject> {
    const { personId } = currentSession();
    const { after, changed } = await this.unitOfWork.run(async (tx) => {
      if (!isArea(body.target)) await refuseUnknown(tx, body.target);
      return this.switchboard.turn(tx, body, personId);
    });
    if (changed) await this.tell(after, personId);
    return presentSwitch(after);
  }

  private tell({ id, paused, reason }: SwitchRow, personId: string): Promise<void> {
    const { ip, userAgent, method, route } = currentContext();
    return this.securityLog.write({
      kind: paused ? 'switch.paused' : 'switch.resumed',
      severity: 'high',
      source: id,
      clientId: isArea(id) ? undefined : id,
      actorId: personId,
      route: `${method} ${route}`,
      userAgent,
      action: `${paused ? 'paused' : 'resumed'} ${id}`,
      details: { ip, reason },
    });
  }
}

async function refuseUnknown(tx: Tx, clientId: string): Promise<void> {
  const found = await tx.query('select from clients where id = $1', [clientId]);
  if (found.length === 0) throw new NotFoundProblem('client');
}
