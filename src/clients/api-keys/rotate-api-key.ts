import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import { ApiKey } from '../api-key.entity';
import { ClientRegistry } from '../client-registry';
import { type IssuedApiKeyObject, presentApiKey, presentIssuedKey } from './api-key-presenter';
import { keyForChange, refuseTooMany, refuseWiderNetworks, refuseWiderScopes, takeTurn } from './api-key-rules';
import { RapidKeyChanges } from './rapid-key-changes';

/** Replaces a key by a new one with the same rights; both work until the overlap is over. */
@Injectable()
export class RotateApiKey {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly registry: ClientRegistry,
    private readonly audit: AuditLog,
    private readonly changes: RapidKeyChanges,
  ) {}

  /** 409 for a key that is revoked, expired or replaced already; 403 when it may do more, or from elsewhere, than the caller. */
  async rotate(id: string, overlapSeconds: number): Promise<IssuedApiKeyObject> {
    const issued = await this.unitOfWork.run(async (tx) => {
      const access = currentAccess();
      await takeTurn(tx, access);
      const old = await keyForChange(tx, access, id);
      refuseEnded(old);
      refuseWiderScopes(access, old.scopes);
      await refuseWiderNetworks(tx, access, old);
      const { clientId, livemode, name, scopes, allowedIps } = old;
      const made = await this.registry.issueKey(tx, { clientId, livemode, name, scopes, allowedIps, expiresAt: renewed(old) });
      await tx.query(
        `update api_keys
            set expires_at = least(expires_at, now() + make_interval(secs => $3)), replaced_by = $4, revision = revision + 1
          where client_id = $1 and id = $2`,
        [clientId, id, overlapSeconds, made.key.id],
      );
      await refuseTooMany(tx, access);
      const after = await tx.manager.findOneByOrFail(ApiKey, { clientId, id });
      const change = { kind: 'api_key.rotated', objectId: id, before: presentApiKey(old), after: presentApiKey(after) };
      await this.audit.record(tx, access, change);
      return presentIssuedKey(made);
    });
    await this.changes.watch();
    return issued;
  }
}

function refuseEnded({ revokedAt, expiresAt, replacedBy }: ApiKey): void {
  const refuse = (state: string) => {
    throw new Problem('state_conflict', `This API key ${state}. Create a new one, or rotate one that is in use.`);
  };
  if (revokedAt) refuse('has been revoked');
  if (replacedBy) refuse(`has been replaced by ${replacedBy}`);
  if (expiresAt && expiresAt.getTime() <= Date.now()) refuse('has expired');
}

/** A key that was made to last for a time is followed by one that lasts as long. */
function renewed({ expiresAt, createdAt }: ApiKey): Date | null {
  return expiresAt && new Date(Date.now() + expiresAt.getTime() - createdAt.getTime());
}
