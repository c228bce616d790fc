import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import { ApiKey } from '../api-key.entity';
import { presentApiKey } from './api-key-presenter';
import { keyForChange } from './api-key-rules';
import { RapidKeyChanges } from './rapid-key-changes';

const END = 'update api_keys set revoked_at = now(), revision = revision + 1 where client_id = $1 and id = $2';

/** Ends a key: changes are refused from this commit on, on every instance; reads within two seconds. */
@Injectable()
export class RevokeApiKey {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    private readonly changes: RapidKeyChanges,
  ) {}

  /** Revoking again does nothing. A key may revoke itself. */
  async revoke(id: string): Promise<void> {
    const revoked = await this.unitOfWork.run(async (tx) => {
      const access = currentAccess();
      const before = await keyForChange(tx, access, id);
      if (before.revokedAt) return false;
      await tx.query(END, [access.clientId, id]);
      const after = await tx.manager.findOneByOrFail(ApiKey, { clientId: access.clientId, id });
      const change = { kind: 'api_key.revoked', objectId: id, before: presentApiKey(before), after: presentApiKey(after) };
      await this.audit.record(tx, access, change);
      return true;
    });
    if (revoked) await this.changes.watch();
  }
}
