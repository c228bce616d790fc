import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { BEHIND_PROXY, from, knock, knockOften, newIp } from './support/outsider';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

const PATH = '/v1/admin/blocks';
const MINUTE_MS = 60_000;
const NOBODYS = `${PATH}/blk_${'0'.repeat(32)}`;

interface Shown {
  id: string;
  level: number;
}

describe('blocks and allows by staff', () => {
  let gateway: Gateway;
  let admin: TestPerson;

  beforeEach(async () => {
    gateway = await Gateway.start({ environment: BEHIND_PROXY });
    admin = await staff(gateway, 'admin');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await gateway.stop();
  });

  const call = (ip: string) => knock(`${gateway.url}/v1/payments`, from(ip));
  const calls = (ip: string, count: number) => knockOften(`${gateway.url}/v1/payments`, from(ip), count);
  const create = async (change: object) => {
    const answer = await admin.post<Shown>(PATH, { reason: 'seen attacking', ...change });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  };
  const release = async ({ id }: Shown) => expect((await admin.call('DELETE', `${PATH}/${id}`)).status).toBe(204);
  const list = async (query = '') => (await admin.get<{ data: Shown[]; has_more: boolean }>(PATH + query)).body;
  const refusal = async (change: object, headers: Record<string, string> = {}) => {
    const { status, body } = await admin.post(PATH, { reason: 'oops', ...change }, headers);
    return [status, body.code, body.detail];
  };
  const conflict = (words: string) => [409, 'state_conflict', expect.stringContaining(words)];

  it('are set, listed and released, with who did it', async () => {
    const ip = newIp();
    const set = await create({ address: `${ip}/32`, seconds: 120 });
    expect(set).toMatchObject({ object: 'ip_block', address: ip, kind: 'block', state: 'active', level: 0, created_by: admin.id, released_at: null });
    const refused = await call(ip);
    expectProblem(refused, 403, 'ip_blocked');
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(120);
    expect(await list()).toEqual({ object: 'list', data: [set], has_more: false });
    await release(set);
    await release(set);
    expect((await call(ip)).status).toBe(401);
    expect((await list('?state=released')).data).toMatchObject([{ id: set.id, state: 'released', released_by: admin.id }]);
    const audited = await gateway.database.rows(`select kind, actor_type, actor_id from audit_events where object_id = $1 order by id`, [set.id]);
    expect(audited).toEqual(['ip_block.created', 'ip_block.released'].map((kind) => ({ kind, actor_type: 'person', actor_id: admin.id })));
  });

  it('are listed by their state, page by page', async () => {
    const [ended, older, gone] = [await create({ address: newIp() }), await create({ address: newIp() }), await create({ address: newIp() })];
    const newest = await create({ address: newIp(), kind: 'allow' });
    await gateway.database.rows(`update ip_blocks set expires_at = now() - interval '1 second' where id = $1`, [ended.id]);
    await release(ended);
    await release(gone);
    const idsOf = async (query: string) => (await list(query)).data.map(({ id }) => id);
    expect([await idsOf(''), await idsOf('?state=active'), await idsOf('?state=expired'), await idsOf('?state=released')])
      .toEqual([[newest.id, older.id], [newest.id, older.id], [ended.id], [gone.id]]);
    expect(await list('?limit=1')).toMatchObject({ data: [{ id: newest.id }], has_more: true });
    expect(await list(`?limit=1&starting_after=${newest.id}`)).toMatchObject({ data: [{ id: older.id }], has_more: false });
    expect((await admin.get(`${PATH}?state=blocked`)).status).toBe(422);
  });

  it('are open to the roles that need them, changes with a fresh second factor', async () => {
    const { id } = await create({ address: newIp() });
    for (const [role, reads, changes] of [['analyst', 200, 204], ['auditor', 200, 403], ['approver', 403, 403]] as const) {
      const person = await staff(gateway, role);
      const made = await person.post(PATH, { address: newIp(), reason: 'seen attacking' });
      expect([role, (await person.get(PATH)).status, made.status]).toEqual([role, reads, changes === 204 ? 201 : changes]);
      expect([role, (await person.call('DELETE', `${PATH}/${id}`)).status]).toEqual([role, changes]);
    }
    const stale = await staff(gateway, 'admin', { fresh: false });
    const body = { address: newIp(), reason: 'seen attacking' };
    expect(await stale.post(PATH, body)).toMatchObject({ status: 403, body: { code: 'two_factor_required' } });
    expect((await stale.post(PATH, body, { 'x-totp-code': await stale.code() })).status).toBe(201);
    expect((await knock(gateway.url + PATH, {})).status).toBe(401);
  });

  it('do not shut out too much', async () => {
    for (const address of ['127.0.0.1', '127.0.0.0/8', '::1']) expect(await refusal({ address })).toEqual(conflict('loopback'));
    for (const address of ['0.0.0.0/0', '8.0.0.0/7', '2001::/16', '::/0']) expect(await refusal({ address })).toEqual(conflict('too wide'));
    expect(await refusal({ address: '0.0.0.0/0', kind: 'allow' })).toEqual(conflict('too wide'));
    expect(await refusal({ address: '198.51.100.0/24' }, from('198.51.100.7'))).toEqual(conflict('198.51.100.7'));
    expect(await refusal({ address: '2001:db8::/32' }, from('2001:db8::7'))).toEqual(conflict('2001:db8::7'));
    expect(await refusal({ address: '203.0.113.7/24' })).toEqual([422, 'validation_failed', expect.stringContaining('prefix')]);
    expect(await gateway.database.value<string>('select count(*) from ip_blocks')).toBe('0');
  });

  it('are one for a network, also when two set it at once', async () => {
    const address = newIp();
    const other = await gateway.database.pool.connect();
    await other.query('begin');
    await other.query(`select pg_advisory_xact_lock(hashtextextended('ip_blocks ' || $1, 0))`, [address]);
    await other.query(
      `insert into ip_blocks (id, network, kind, reason, expires_at) values ('blk_other', $1, 'block', 'first', now() + interval '1 hour')`, [address],
    );
    const answer = refusal({ address });
    await eventually(() => gateway.database.value<boolean>(`select exists (select from pg_locks where locktype = 'advisory' and not granted)`), 5_000);
    await other.query('commit');
    other.release();
    expect(await answer).toEqual(conflict('blk_other'));
    expect(await gateway.database.value<string>('select count(*) from ip_blocks')).toBe('1');
  });

  it('release only what is there', async () => {
    expect((await admin.call('DELETE', NOBODYS)).status).toBe(404);
  });

  it('let an allow win over every block, and keep the gateway from blocking it', async () => {
    const ip = newIp();
    await create({ address: '203.0.113.0/24' });
    expect((await call(ip)).status).toBe(403);
    const allow = await create({ address: ip, kind: 'allow', reason: 'our office' });
    expect(allow).toMatchObject({ kind: 'allow', expires_at: null });
    expect(await calls(ip, 105)).toEqual([401]);
    expect((await call(newIp())).status).toBe(403);
    await release(allow);
    expect((await call(ip)).status).toBe(403);
  });

  it('are not set again by the refusals from before a release', async () => {
    const ip = newIp();
    await calls(ip, 100);
    const [block] = (await list()).data;
    expect(block).toMatchObject({ address: ip, created_by: null, level: 1 });
    await release(block);
    expect(await calls(ip, 3)).toEqual([401]);
    expect((await list()).data).toEqual([]);
    const real = Date.now;
    jest.spyOn(Date, 'now').mockImplementation(() => real() + 6 * MINUTE_MS);
    await calls(ip, 100);
    expect((await call(ip)).status).toBe(403);
    expect(await gateway.database.rows('select level from ip_blocks order by id')).toEqual([{ level: 1 }, { level: 2 }]);
  });
});
