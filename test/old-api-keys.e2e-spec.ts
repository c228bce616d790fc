import { WarnOfOldKeys } from '../src/clients/api-keys/warn-of-old-keys';
import { SCOPES } from '../src/platform/http/policy';
import { runInContext } from '../src/platform/http/request-context';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';

describe('an API key that grows old', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const warn = () =>
    runInContext({ requestId: 'test-job', actor: { type: 'system', id: 'api_keys.warn' }, startedAt: 0 }, () => gateway.app.get(WarnOfOldKeys).run());
  const age = (id: string, days: number) =>
    gateway.database.rows('update api_keys set created_at = now() - make_interval(days => $2) where id = $1', [id, days]);
  const aged = async (days: number) => {
    const { body } = await merchant.post<{ id: string }>('/v1/api-keys', { name: 'shop', scopes: ['payments:read'] });
    await age(body.id, days);
    return body.id;
  };
  const told = (id: string) => gateway.database.value<number>(
    `select count(*)::int from events where client_id = $1 and type = 'api_key.expiring' and object_id = $2`, [merchant.credentials.clientId, id],
  );

  it('is told at 76 days and at 90, once each', async () => {
    const id = await aged(75);
    for (const [days, times] of [[75, 0], [76, 1], [89, 1], [90, 2], [400, 2]]) {
      await age(id, days);
      await Promise.all([warn(), warn()]);
      await warn();
      expect([days, await told(id)]).toEqual([days, times]);
    }
  });

  it('is told with the key as the API shows it, and changes nothing of what it opens', async () => {
    const id = await aged(80);
    const before = await gateway.database.value('select revision from api_keys where id = $1', [id]);
    await warn();
    const { body } = await merchant.get<{ data: { data: object; livemode: boolean }[] }>(`/v1/events?type=api_key.expiring&object_id=${id}`);
    expect(body.data).toEqual([expect.objectContaining({ livemode: false, data: (await merchant.get(`/v1/api-keys/${id}`)).body })]);
    expect(await gateway.database.value('select revision from api_keys where id = $1', [id])).toBe(before);
  });

  it('is told once of a key that was past both ages when it was first seen', async () => {
    const id = await aged(120);
    await warn();
    await warn();
    expect(await told(id)).toBe(1);
  });

  it('is not told of keys that are over, nor to clients that are', async () => {
    const [revoked, rotated, expired, asleep] = [await aged(80), await aged(80), await aged(80), await aged(80)];
    await merchant.call('DELETE', `/v1/api-keys/${revoked}`, undefined);
    const successor = (await merchant.post<{ id: string }>(`/v1/api-keys/${rotated}/rotate`)).body.id;
    await gateway.database.rows('update api_keys set expires_at = now() where id = $1', [expired]);
    await warn();
    expect([await told(revoked), await told(rotated), await told(successor), await told(expired), await told(asleep)]).toEqual([0, 0, 0, 0, 1]);
    const sleeping = await aged(80);
    const status = (to: string) =>
      gateway.database.rows('update clients set status = $2, revision = revision + 1 where id = $1', [merchant.credentials.clientId, to]);
    await status('suspended');
    await warn();
    expect(await told(sleeping)).toBe(0);
    await status('active');
    await warn();
    expect(await told(sleeping)).toBe(1);
  });

  it('is told of more keys than one batch holds', async () => {
    await gateway.database.rows(
      `insert into api_keys (client_id, id, livemode, name, prefix, key_hash, signing_secret, scopes, created_at)
       select $1, 'key_' || lpad(n::text, 32, '0'), false, 'bulk', 'o' || n, repeat('0', 64), 'x', $2, now() - interval '77 days'
         from generate_series(1, 1100) n`,
      [merchant.credentials.clientId, SCOPES],
    );
    await warn();
    const count = `select count(distinct object_id)::int || ' of ' || count(*)::int from events where client_id = $1 and type = 'api_key.expiring'`;
    expect(await gateway.database.value(count, [merchant.credentials.clientId])).toBe('1100 of 1100');
  });
});
