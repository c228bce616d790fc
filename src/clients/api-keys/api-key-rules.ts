import type { Tx } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import type { Scope } from '../../platform/http/policy';
import { type BookAccess, currentContext } from '../../platform/http/request-context';
import { isWithin } from '../../platform/security/network/address-rules';
import { ApiKey } from '../api-key.entity';

const MAX_ACTIVE_KEYS = 100;

/** Nobody hands out more than they have: a key that only reads could otherwise make, or rotate, itself into one that pays out. */
export function refuseWiderScopes(access: BookAccess, scopes: readonly Scope[]): void {
  const missing = scopes.filter((scope) => !access.scopes.includes(scope));
  if (missing.length > 0) {
    throw new Problem('forbidden', `You cannot hand out scopes that you do not have yourself: ${missing.join(', ')}.`);
  }
}

/**
 * The networks that a key handed out by the caller may be used from: those that were named, or else the caller's own. A key that is
 * bound to networks hands out keys for these alone, so that who has stolen it cannot take a key for everywhere from it: 403.
 */
export async function networksToHandOut(tx: Tx, { clientId }: BookAccess, named: readonly string[]): Promise<readonly string[]> {
  const own = await ownNetworks(tx, clientId);
  if (own.length === 0) return named;
  const wider = named.filter((network) => !isWithin(network, own));
  if (wider.length > 0) {
    throw new Problem('forbidden', `This key is bound to its networks and cannot hand out a key for others: ${wider.join(', ')}.`);
  }
  return named.length > 0 ? named : own;
}

/** 403 when a key that is to be replaced may be used from where the caller's key may not; see networksToHandOut. */
export async function refuseWiderNetworks(tx: Tx, { clientId }: BookAccess, { allowedIps }: ApiKey): Promise<void> {
  const own = await ownNetworks(tx, clientId);
  if (own.length === 0 || (allowedIps.length > 0 && allowedIps.every((network) => isWithin(network, own)))) return;
  throw new Problem('forbidden', 'This key is bound to its networks and cannot replace a key that may be used from others.');
}

/** The networks that the caller's key is bound to; none for a person. */
async function ownNetworks(tx: Tx, clientId: string): Promise<string[]> {
  const { key } = currentContext();
  if (!key) return [];
  const [row] = await tx.query<{ networks: string[] }>(
    'select allowed_ips as networks from api_keys where client_id = $1 and id = $2', [clientId, key.keyId],
  );
  return row.networks;
}

/** Changes of one client's keys take turns, so that the number of its keys is the same for all who count. */
export async function takeTurn(tx: Tx, { clientId }: BookAccess): Promise<void> {
  await tx.query('select 1 from clients where id = $1 for no key update', [clientId]);
}

/** 409 when the change under way leaves more active keys in this mode than a client may have. Call it with the turn taken. */
export async function refuseTooMany(tx: Tx, { clientId, livemode }: BookAccess): Promise<void> {
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
export async function keyForChange(tx: Tx, { clientId, livemode }: BookAccess, id: string): Promise<ApiKey> {
  const key = await tx.manager.findOne(ApiKey, { where: { clientId, livemode, id }, lock: { mode: 'for_no_key_update' } });
  if (!key) throw new NotFoundProblem('API key');
  return key;
}
