import type { Tx } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import type { Scope } from '../../platform/http/policy';
import type { KeyAccess } from '../../platform/http/request-context';
import { ApiKey } from '../api-key.entity';

const MAX_ACTIVE_KEYS = 100;

/** Nobody hands out more than they have: a key that only reads could otherwise make, or rotate, itself into one that pays out. */
export function refuseWiderScopes(access: KeyAccess, scopes: readonly Scope[]): void {
  const missing = scopes.filter((scope) => !access.scopes.includes(scope));
  if (missing.length > 0) {
    throw new Problem('forbidden', `This key cannot hand out scopes that it does not have itself: ${missing.join(', ')}.`);
  }
}

/** Changes of one client's keys take turns, so that the number of its keys is the same for all who count. */
export async function takeTurn(tx: Tx, { clientId }: KeyAccess): Promise<void> {
  await tx.query('select 1 from clients where id = $1 for no key update', [clientId]);
}

/** 409 when the change under way leaves more active keys in this mode than a client may have. Call it with the turn taken. */
export async function refuseTooMany(tx: Tx, { clientId, livemode }: KeyAccess): Promise<void> {
  const [row] = await tx.query<{ active: number }>(
    `select count(*)::int as active from api_keys
      where client_id = $1 and livemode = $2 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [clientId, livemode],
  );
  if (row.active > MAX_ACTIVE_KEYS) {
    throw new Problem('state_conflict', `There are ${MAX_ACTIVE_KEYS} active API keys in this mode. Revoke one that is not used first.`);
  }
}

/** A key of the caller's client and mode, locked until the change is over. */
export async function keyForChange(tx: Tx, { clientId, livemode }: KeyAccess, id: string): Promise<ApiKey> {
  const key = await tx.manager.findOne(ApiKey, { where: { clientId, livemode, id }, lock: { mode: 'for_no_key_update' } });
  if (!key) throw new NotFoundProblem('API key');
  return key;
}
