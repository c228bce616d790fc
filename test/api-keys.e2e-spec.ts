import { SCOPES } from '../src/platform/http/policy';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { member } from './support/people';

interface KeyObject {
  id: string;
  prefix: string;
  scopes: string[];
  allowed_ips: string[];
  expires_at: string | null;
  revoked_at: string | null;
  replaced_by: string | null;
  api_key: string;
  signing_secret: string;
  created_at: string;
}
const DAY_MS = 86_400_000;
const order = { amount: '1.00', currency: 'USD', method: 'simulated' };
const codeOf = ({ status, body }: Answer<unknown>) => [status, (body as { code?: string } | undefined)?.code];

describe('API keys', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const create = (body: object = {}, by = merchant) =>
    by.post<KeyObject>('/v1/api-keys', { name: 'shop', scopes: ['payments:read', 'payments:write'], ...body });
  const rotate = (id: string, body?: object, by = merchant) => by.post<KeyObject>(`/v1/api-keys/${id}/rotate`, body);
  const revoke = (id: string, by = merchant) => by.call('DELETE', `/v1/api-keys/${id}`, undefined);
  const get = (id: string, by = merchant) => by.get<KeyObject>(`/v1/api-keys/${id}`);
  const holderOf = ({ id, api_key: apiKey, signing_secret: signingSecret }: KeyObject) =>
    merchant.with({ credentials: { keyId: id, apiKey, signingSecret } });
  const audited = (id: string) => gateway.database.rows<{ kind: string; before: object | null; after: object }>(
    'select kind, before, after from audit_events where object_id = $1 order by id', [id],
  );

  it('makes a key that works, and shows it once', async () => {
    const { status, body } = await create();
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/), object: 'api_key', livemode: false, name: 'shop',
      prefix: body.api_key.slice(0, 21), scopes: ['payments:read', 'payments:write'], allowed_ips: [], expires_at: null, revoked_at: null,
      last_used_at: null, replaced_by: null, created_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      api_key: expect.stringMatching(/^cpg_test_[A-Za-z0-9]{40}$/), signing_secret: expect.stringMatching(/^cpg_sign_[0-9a-f]{64}$/),
    });
    expect((await holderOf(body).post('/v1/payments', order)).status).toBe(201);
    const shown = [await get(body.id), await merchant.get('/v1/api-keys')];
    for (const { text, status: read } of shown) {
      expect(read).toBe(200);
      for (const secret of [body.api_key, body.signing_secret, 'hash', 'secret']) expect(text).not.toContain(secret);
    }
    expect((await audited(body.id)).map(({ kind }) => kind)).toEqual(['api_key.created']);
    const kept = await gateway.database.value<string>('select string_agg(a::text, $1) from audit_events a', [' ']);
    for (const secret of [body.api_key, body.signing_secret]) expect(kept).not.toContain(secret);
  });

  it('makes keys of its own mode only', async () => {
    const live = await gateway.merchant({ live: true });
    const { body } = await create({}, live);
    expect(body).toMatchObject({ livemode: true, api_key: expect.stringMatching(/^cpg_live_/) });
    const test = await anotherKey(gateway, live, { livemode: false });
    expect(codeOf(await get(body.id, test))).toEqual([404, 'not_found']);
    expect(codeOf(await revoke(body.id, test))).toEqual([404, 'not_found']);
    expect((await test.get<{ data: KeyObject[] }>('/v1/api-keys')).body.data.map(({ id }) => id)).toEqual([test.credentials.keyId]);
  });

  it('hands out no scope that the maker lacks', async () => {
    const maker = await anotherKey(gateway, merchant, { scopes: ['keys:write', 'payments:read'] });
    expect((await create({ scopes: ['payments:read'] }, maker)).status).toBe(201);
    const wider = await create({ scopes: ['payments:read', 'withdrawals:write'] }, maker);
    expect(codeOf(wider)).toEqual([403, 'forbidden']);
    expect((wider.body as unknown as { detail: string }).detail).toContain('withdrawals:write');
    // Rotating a mightier key would hand out its successor.
    expect(codeOf(await rotate(merchant.credentials.keyId, {}, maker))).toEqual([403, 'forbidden']);
    expect((await get(merchant.credentials.keyId)).body.replaced_by).toBeNull();
  });

  it.each([
    ['name', { name: '' }], ['name', { name: 'a'.repeat(101) }], ['name', { name: 'a\u0007' }], ['scopes', { scopes: [] }],
    ['scopes', { scopes: ['payments:read', 'payments:read'] }],
    ['scopes.0', { scopes: ['everything'] }], ['scopes', { scopes: 'payments:read' }],
    ['allowed_ips.0', { allowed_ips: ['example.com'] }],
    ['allowed_ips.0', { allowed_ips: ['010.1.1.1'] }], ['allowed_ips.1', { allowed_ips: ['::1', '10.0.0.0/33'] }],
    ['allowed_ips', { allowed_ips: Array.from({ length: 51 }, (_none, at) => `10.0.0.${at}`) }],
    ['expires_at', { expires_at: 'tomorrow' }],
    ['expires_at', { expires_at: '2020-01-01T00:00:00Z' }], ['expires_at', { expires_at: 1893456000 }],
    ['livemode', { livemode: true }], ['client_id', { client_id: 'cli_1' }],
  ])('refuses a wrong %s: %j', async (field, body) => {
    const answer = await create(body);
    expect(codeOf(answer)).toEqual([422, 'validation_failed']);
    expect((answer.body as unknown as { errors: object[] }).errors).toEqual([expect.objectContaining({ field })]);
  });

  it('keeps addresses and an expiry', async () => {
    const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
    const { body } = await create({ allowed_ips: ['203.0.113.0/24', '2001:db8::1'], expires_at: expiresAt });
    expect(body).toMatchObject({ allowed_ips: ['203.0.113.0/24', '2001:db8::1'], expires_at: expiresAt });
    expect(codeOf(await holderOf(body).get('/v1/payments'))).toEqual([403, 'ip_not_allowed']);
  });

  it('lists newest first, page by page', async () => {
    const ids = [merchant.credentials.keyId];
    for (let made = 0; made < 3; made += 1) ids.unshift((await create()).body.id);
    const first = await merchant.get<{ data: KeyObject[]; has_more: boolean }>('/v1/api-keys?limit=3');
    expect([first.body.data.map(({ id }) => id), first.body.has_more]).toEqual([ids.slice(0, 3), true]);
    const rest = await merchant.get<{ data: KeyObject[]; has_more: boolean }>(`/v1/api-keys?starting_after=${ids[2]}`);
    expect([rest.body.data.map(({ id }) => id), rest.body.has_more]).toEqual([ids.slice(3), false]);
  });

  describe('revoking', () => {
    it('ends a key for changes at once, and again does no harm', async () => {
      const { body } = await create();
      const holder = holderOf(body);
      expect((await holder.get('/v1/payments')).status).toBe(200);
      const answer = await revoke(body.id);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(codeOf(await holder.post('/v1/payments', order))).toEqual([401, 'unauthenticated']);
      const { revoked_at: revokedAt } = (await get(body.id)).body;
      expect(revokedAt).not.toBeNull();
      expect((await revoke(body.id)).status).toBe(204);
      expect((await get(body.id)).body.revoked_at).toBe(revokedAt);
      expect((await audited(body.id)).map(({ kind, before, after }) => [kind, before, after])).toEqual([
        ['api_key.created', null, expect.anything()],
        ['api_key.revoked', expect.objectContaining({ revoked_at: null }), expect.objectContaining({ revoked_at: revokedAt })],
      ]);
    });

    it('finds no key of another client', async () => {
      const other = await gateway.merchant();
      expect(codeOf(await revoke(other.credentials.keyId))).toEqual([404, 'not_found']);
      expect((await other.get('/v1/payments')).status).toBe(200);
    });

    it('lets a key end itself', async () => {
      expect((await revoke(merchant.credentials.keyId)).status).toBe(204);
      expect((await merchant.post('/v1/payments', order)).status).toBe(401);
    });
  });

  describe('rotating', () => {
    it('makes a successor with the same rights; both work during the overlap', async () => {
      const old = (await create({ allowed_ips: ['127.0.0.1'] })).body;
      const { status, body } = await rotate(old.id);
      expect(status).toBe(201);
      expect(body).toMatchObject({ scopes: old.scopes, allowed_ips: ['127.0.0.1'], expires_at: null, replaced_by: null });
      expect(body.id).not.toBe(old.id);
      for (const key of [old, body]) expect((await holderOf(key).post('/v1/payments', order)).status).toBe(201);
      const replaced = (await get(old.id)).body;
      expect(replaced.replaced_by).toBe(body.id);
      expect(Math.abs(Date.parse(replaced.expires_at!) - Date.now() - DAY_MS)).toBeLessThan(10_000);
      expect((await audited(old.id)).map(({ kind }) => kind)).toEqual(['api_key.created', 'api_key.rotated']);
      expect((await audited(body.id)).map(({ kind }) => kind)).toEqual(['api_key.created']);
    });

    it('without an overlap ends the old key at once', async () => {
      const old = (await create()).body;
      const { body } = await rotate(old.id, { overlap_seconds: 0 });
      expect((await holderOf(old).post('/v1/payments', order)).status).toBe(401);
      expect((await holderOf(body).post('/v1/payments', order)).status).toBe(201);
    });

    it('never makes a key last longer, and gives the successor the same time to live', async () => {
      const old = (await create({ expires_at: new Date(Date.now() + 3_600_000).toISOString() })).body;
      const { body } = await rotate(old.id, { overlap_seconds: 604_800 });
      expect((await get(old.id)).body.expires_at).toBe(old.expires_at);
      expect(Math.abs(Date.parse(body.expires_at!) - Date.now() - 3_600_000)).toBeLessThan(10_000);
    });

    it('refuses keys that have ended or have a successor', async () => {
      const old = (await create()).body;
      await rotate(old.id);
      expect(codeOf(await rotate(old.id))).toEqual([409, 'state_conflict']);
      const revoked = (await create()).body;
      await revoke(revoked.id);
      expect(codeOf(await rotate(revoked.id))).toEqual([409, 'state_conflict']);
      const expired = await anotherKey(gateway, merchant, { expiresAt: new Date(Date.now() - 1000) });
      expect(codeOf(await rotate(expired.credentials.keyId))).toEqual([409, 'state_conflict']);
    });

    it('makes one successor of ten parallel rotations', async () => {
      const old = (await create()).body;
      const answers = await Promise.all(Array.from({ length: 10 }, () => rotate(old.id)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    });

    it.each([-1, 604_801, 1.5, '60', null])('refuses an overlap of %j seconds', async (overlap) => {
      expect(codeOf(await rotate(merchant.credentials.keyId, { overlap_seconds: overlap }))).toEqual([422, 'validation_failed']);
    });
  });

  describe('bound to networks', () => {
    const bound = (allowedIps: string[]) => anotherKey(gateway, merchant, { allowedIps });

    it('hand out keys for their own networks, by default for all of them', async () => {
      const by = await bound(['127.0.0.0/8', '2001:db8::/32']);
      expect((await create({}, by)).body.allowed_ips).toEqual(['127.0.0.0/8', '2001:db8::/32']);
      const within = ['127.0.0.1', '127.1.0.0/16', '2001:db8:1::/48'];
      expect((await create({ allowed_ips: within }, by)).body.allowed_ips).toEqual(within);
    });

    it.each(['0.0.0.0/0', '126.0.0.0/7', '192.0.2.1', '::/0', '2001:db8::1'])('hand out none for %s', async (network) => {
      const by = await bound(['127.0.0.0/8']);
      expect(codeOf(await create({ allowed_ips: ['127.0.0.1', network] }, by))).toEqual([403, 'forbidden']);
    });

    it('replace themselves and narrower ones, not wider ones', async () => {
      const by = await bound(['127.0.0.1']);
      const [free, wider, same] = [await create(), await create({ allowed_ips: ['127.0.0.0/30'] }), await create({ allowed_ips: ['127.0.0.1/32'] })];
      for (const { body } of [free, wider]) expect(codeOf(await rotate(body.id, {}, by))).toEqual([403, 'forbidden']);
      for (const id of [same.body.id, by.credentials.keyId]) expect((await rotate(id, {}, by)).status).toBe(201);
    });

    it('bind nobody who needs no key', async () => {
      await bound(['127.0.0.1']);
      const owner = await member(gateway, merchant, 'owner');
      expect((await owner.post<KeyObject>('/v1/api-keys', { name: 'free', scopes: ['payments:read'] })).body.allowed_ips).toEqual([]);
    });
  });

  it('keeps at most 100 active keys in a mode, also under parallel requests', async () => {
    const { clientId } = merchant.credentials;
    await gateway.database.rows(
      `insert into api_keys (client_id, id, livemode, name, prefix, key_hash, signing_secret, scopes)
       select $1, 'key_' || lpad(n::text, 32, '0'), false, 'bulk', 'p' || n, repeat('0', 64), 'x', $2 from generate_series(1, 97) n`,
      [clientId, SCOPES],
    );
    const answers = await Promise.all(Array.from({ length: 6 }, () => create()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409, 409]);
    expect(codeOf(answers.find(({ status }) => status === 409)!)).toEqual([409, 'state_conflict']);
    expect(codeOf(await rotate(merchant.credentials.keyId, { overlap_seconds: 60 }))).toEqual([409, 'state_conflict']);
    await gateway.database.rows(`update api_keys set revoked_at = now() where client_id = $1 and prefix = 'p1'`, [clientId]);
    expect((await create()).status).toBe(201);
  });

  it('flags three changes within ten minutes, not two', async () => {
    const flags = () => gateway.database.rows(
      `select severity, client_id, actor_id from security_events where kind = 'suspicious.rapid_key_changes' and client_id = $1`, [merchant.credentials.clientId],
    );
    const { body } = await create();
    await rotate(body.id);
    expect(await flags()).toEqual([]);
    await revoke(body.id);
    expect(await flags()).toEqual([{ severity: 'medium', client_id: merchant.credentials.clientId, actor_id: merchant.credentials.keyId }]);
  });

  it('counts its own limit: five new keys an hour', async () => {
    const limited = await Gateway.start({ database: gateway.database });
    const maker = merchant.with({ url: limited.url });
    const statuses: number[] = [];
    for (let made = 0; made < 6; made += 1) statuses.push((await create({}, maker)).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429]);
    expect((await maker.get('/v1/api-keys')).status).toBe(200);
    await limited.stop();
  });

  it('notes when a key was last used', async () => {
    const stopped = await Gateway.start({ database: gateway.database });
    const used = await anotherKey(gateway, merchant);
    await used.with({ url: stopped.url }).get('/v1/payments');
    await stopped.stop();
    const { last_used_at: at } = (await get(used.credentials.keyId)).body as KeyObject & { last_used_at: string };
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(30_000);
  });
});
