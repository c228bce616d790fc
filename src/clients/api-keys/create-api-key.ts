import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { ValidationProblem } from '../../platform/http/problem';
import { currentAccess } from '../../platform/http/request-context';
import { ClientRegistry } from '../client-registry';
import { type IssuedApiKeyObject, presentIssuedKey } from './api-key-presenter';
import { networksToHandOut, refuseTooMany, refuseWiderScopes, takeTurn } from './api-key-rules';
import type { CreateApiKeyBody } from './api-keys.dto';
import { RapidKeyChanges } from './rapid-key-changes';

/** Makes a key for the caller's own client and mode. */
@Injectable()
export class CreateApiKey {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly registry: ClientRegistry,
    private readonly changes: RapidKeyChanges,
  ) {}

  /** Answers the key and its signing secret, the only time they are shown. 403 for scopes or networks beyond the caller's, 409 beyond 100 keys. */
  async create({ name, scopes, allowed_ips: named, expires_at: until }: CreateApiKeyBody): Promise<IssuedApiKeyObject> {
    const issued = await this.unitOfWork.run(async (tx) => {
      const access = currentAccess();
      refuseWiderScopes(access, scopes);
      const expiresAt = until ? inFuture(new Date(until)) : null;
      await takeTurn(tx, access);
      const allowedIps = await networksToHandOut(tx, access, named);
      const { clientId, livemode } = access;
      const made = await this.registry.issueKey(tx, { clientId, livemode, name, scopes, allowedIps, expiresAt });
      await refuseTooMany(tx, access);
      return presentIssuedKey(made);
    });
    await this.changes.watch();
    return issued;
  }
}

/** Looked at inside the change and not by the schema, so that a repetition is answered even when that time has come. */
function inFuture(expiresAt: Date): Date {
  if (expiresAt.getTime() > Date.now()) return expiresAt;
  throw new ValidationProblem([{ field: 'expires_at', code: 'in_the_past', message: 'must lie in the future' }]);
}
