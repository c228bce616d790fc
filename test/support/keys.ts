import { randomUUID } from 'node:crypto';
import { ClientRegistry, type NewKey } from '../../src/clients/client-registry';
import { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { SCOPES } from '../../src/platform/http/policy';
import { runInContext } from '../../src/platform/http/request-context';
import type { Gateway } from './gateway';
import type { Merchant } from './merchant';

/** Another key of the same client, made as an operator would: any mode, any scopes, even one that has expired. */
export async function anotherKey(gateway: Gateway, merchant: Merchant, key: Partial<NewKey> = {}): Promise<Merchant> {
  const { clientId } = merchant.credentials;
  const operator = { requestId: `setup-${randomUUID()}`, actor: { type: 'operator' as const }, startedAt: 0 };
  const command = { clientId, livemode: false, name: 'another key', scopes: SCOPES, ...key };
  const issued = await runInContext(operator, () =>
    gateway.app.get(UnitOfWork).run((tx) => gateway.app.get(ClientRegistry).issueKey(tx, command)));
  const { apiKey, signingSecret } = issued;
  return merchant.with({ credentials: { keyId: issued.key.id, apiKey, signingSecret } });
}
