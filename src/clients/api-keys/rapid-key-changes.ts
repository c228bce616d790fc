import { Injectable } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess, currentContext } from '../../platform/http/request-context';
import { idLowerBound } from '../../platform/identifiers';

const WINDOW_MS = 10 * 60_000;
const TOO_MANY = 3;

/** Flags a client whose keys change three times within ten minutes: what somebody does who has got hold of one. */
@Injectable()
export class RapidKeyChanges {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly securityLog: SecurityLog,
  ) {}

  /** Counts the changes that the audit log knows; call it after a change is committed. A rotation counts once, by the key that it makes. */
  async watch(): Promise<void> {
    const { clientId } = currentAccess();
    const [row] = await this.unitOfWork.read<{ changes: number }>(
      'count_key_changes',
      `select count(*)::int as changes from audit_events
        where client_id = $1 and id >= $2 and split_part(kind, '.', 1) in ('client', 'api_key', 'webhook_endpoint') and kind in ('api_key.created', 'api_key.revoked') and actor_type <> 'operator'`,
      [clientId, idLowerBound('aud', new Date(Date.now() - WINDOW_MS))],
    );
    if (row.changes < TOO_MANY) return;
    const { actor, ip, userAgent, method, route } = currentContext();
    await this.securityLog.write({
      kind: 'suspicious.rapid_key_changes',
      severity: 'medium',
      source: clientId,
      clientId,
      actorId: actor?.id,
      route: `${method} ${route}`,
      userAgent,
      action: 'flagged',
      details: { ip, changes: row.changes, minutes: WINDOW_MS / 60_000 },
    });
  }
}
