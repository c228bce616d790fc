import { runInContext } from '../src/platform/http/request-context';
import { AddressBlocker } from '../src/platform/security/blocks/address-blocker';
import { RefusalFactors } from '../src/platform/security/blocks/refusal-factors';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { BEHIND_PROXY, from, knock, knockOften, newIp } from './support/outsider';
import { staff } from './support/people';
import { expectProblem } from './support/problems';
import type { SendOptions } from './support/send';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

describe('blocks', () => {
  let shared: Gateway;
  let gateway: Gateway;
  let ofTheTest: Gateway[];

  beforeAll(async () => {
    shared = await Gateway.start({ environment: BEHIND_PROXY });
  });
  beforeEach(() => {
    ofTheTest = [];
    gateway = shared;
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const one of ofTheTest.toReversed()) await one.stop();
  });
  afterAll(() => shared.stop());

  /** For a test that moves the clock, or looks at more than what happens to its own addresses. */
  const useOwnGateway = async () => {
    gateway = await Gateway.start({ environment: BEHIND_PROXY });
    ofTheTest.push(gateway);
  };
  const another = async (environment: Record<string, string>) => {
    const second = await Gateway.start({ environment, database: gateway.database });
    ofTheTest.push(second);
    return second;
  };
  const call = (headers: Record<string, string>, { path = '/v1/payments', at = gateway, options = {} as SendOptions } = {}) => knock(at.url + path, headers, options);
  const calls = (headers: Record<string, string>, count: number, at = gateway) => knockOften(`${at.url}/v1/payments`, headers, count);
  /** Moves this process's clock, and with it the gateway's. */
  const advance = (() => {
    const real = Date.now;
    return (ms: number) => jest.spyOn(Date, 'now').mockImplementation(() => real() + ms);
  })();
  const blocks = (ip: string) => gateway.database.rows<{ level: number; seconds: number; reason: string }>(
    `select level, extract(epoch from expires_at - created_at)::int as seconds, reason from ip_blocks where network >>= $1 order by id`, [ip],
  );
  const events = (kind: string, source: string) => gateway.database.rows<{ count: string; severity: string; action: string }>(
    'select count, severity, action, details from security_events where kind = $1 and source = $2 order by id', [kind, source],
  );
  const block = (ip: string, at = gateway) => runInContext(
    { requestId: 'req_test', ip, startedAt: 0 }, () => at.app.get(AddressBlocker).block(ip, 'refusals', 'failed staff logins'),
  );

  describe('made by refusals', () => {
    it('come with the hundredth, for that address only', async () => {
      await useOwnGateway();
      const [ip, other] = [newIp(), newIp()];
      expect(await calls(from(ip), 99)).toEqual([401]);
      expect(await blocks(ip)).toEqual([]);
      expect((await call(from(ip))).status).toBe(401);
      const refused = await call(from(ip));
      expectProblem({ ...refused }, 403, 'ip_blocked');
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(14 * 60);
      expect(wait).toBeLessThanOrEqual(15 * 60);
      expect((await call(from(other))).status).toBe(401);
      expect(await blocks(ip)).toEqual([{ level: 1, seconds: 900, reason: '100 refusals in 5 minutes' }]);
      expect(await events('ip.blocked', ip)).toMatchObject([{ severity: 'high', action: 'blocked for 900 s', count: '1' }]);
      const audited = await gateway.database.rows(`select kind, actor_type, actor_id, ip, after ->> 'address' as address from audit_events where kind = 'ip.blocked'`);
      expect(audited).toEqual([{ kind: 'ip.blocked', actor_type: 'system', actor_id: 'abuse_protection', ip, address: ip }]);
    });

    it('count unknown addresses and forbidden things, but no honest mistakes', async () => {
      const ip = newIp();
      const merchant = await gateway.merchant();
      for (let at = 0; at < 100; at += 1) expect((await merchant.post('/v1/payments', {}, { headers: from(ip) })).status).toBe(422);
      expect((await call(from(ip))).status).toBe(401);
      for (let at = 0; at < 99; at += 1) await call(from(ip), { path: `/wp-admin/${at}` });
      expectProblem(await call(from(ip), { path: '/wp-admin' }), 403, 'ip_blocked');
      expectProblem(await merchant.get('/v1/payments', { headers: from(ip) }), 403, 'ip_blocked');
      expectProblem(await call(from(ip), { path: '/health/live' }), 403, 'ip_blocked');
    });

    it('count refusals for going too fast', async () => {
      const limited = await another({ TRUSTED_PROXIES: '127.0.0.1/32' });
      const ip = newIp();
      expect((await calls(from(ip), 100, limited)).sort()).toEqual([401, 429]);
      expectProblem(await call(from(ip), { at: limited }), 403, 'ip_blocked');
    });

    it('halve and quarter the limits before that', async () => {
      const ip = newIp();
      const factor = () => gateway.app.get(RefusalFactors).factor({ requestId: 'req_test', ip, startedAt: 0 });
      await calls(from(ip), 49);
      expect(factor()).toBe(1);
      await calls(from(ip), 1);
      expect(factor()).toBe(0.5);
      await calls(from(ip), 25);
      expect(factor()).toBe(0.25);
    });

    it('end at their time, by themselves, and come back longer', async () => {
      await useOwnGateway();
      const ip = newIp();
      const lengths = [15 * MINUTE_MS, 60 * MINUTE_MS, DAY_MS, 7 * DAY_MS, 7 * DAY_MS];
      let passed = 0;
      for (const length of lengths) {
        await calls(from(ip), 100);
        advance(passed + length - MINUTE_MS);
        expectProblem(await call(from(ip)), 403, 'ip_blocked');
        // The refusals of the last round have left the window by now, too.
        advance((passed += length + MINUTE_MS));
        expect((await call(from(ip))).status).toBe(401);
        advance((passed += 10 * MINUTE_MS));
      }
      expect((await blocks(ip)).map(({ level, seconds: length }) => [level, length])).toEqual([[1, 900], [2, 3600], [3, 86_400], [4, 604_800], [4, 604_800]]);
      advance(passed + 31 * DAY_MS);
      await calls(from(ip), 100);
      expect((await blocks(ip)).at(-1)).toMatchObject({ level: 1, seconds: 900 });
    });

    it('are one, however many see the hundredth at once', async () => {
      const ip = newIp();
      await calls(from(ip), 99);
      const answers = await Promise.all(Array.from({ length: 50 }, () => call(from(ip))));
      expect(answers.every(({ status }) => status === 401 || status === 403)).toBe(true);
      expect(await blocks(ip)).toHaveLength(1);
    });

    it('are one when two instances see it at once', async () => {
      const second = await another(BEHIND_PROXY);
      const ip = newIp();
      await Promise.all(Array.from({ length: 50 }, (_, at) => block(ip, at % 2 ? gateway : second)));
      expect(await blocks(ip)).toEqual([{ level: 1, seconds: 900, reason: 'failed staff logins' }]);
      expect(await events('ip.blocked', ip)).toMatchObject([{ count: '1' }]);
      for (const at of [gateway, second]) expectProblem(await call(from(ip), { at }), 403, 'ip_blocked');
    });

    it('hold for a whole IPv6 /64, and for IPv4 in IPv6 clothing', async () => {
      for (let at = 0; at < 100; at += 1) await call(from(`2001:db8:1:2::${at.toString(16)}`));
      expectProblem(await call(from('2001:DB8:1:2:ffff::1')), 403, 'ip_blocked');
      expect((await call(from('2001:db8:1:3::1'))).status).toBe(401);
      const ip = newIp();
      await calls(from(`::ffff:${ip}`), 100);
      expectProblem(await call(from(ip)), 403, 'ip_blocked');
    });
  });

  describe('reach', () => {
    it('a second instance within two seconds, and its release does, too', async () => {
      const second = await another(BEHIND_PROXY);
      const ip = newIp();
      const admin = await staff(gateway, 'admin');
      const { body } = await admin.post('/v1/admin/blocks', { address: ip, reason: 'seen attacking' });
      expectProblem(await call(from(ip)), 403, 'ip_blocked');
      await eventually(async () => (await call(from(ip), { at: second })).status === 403, 2_000);
      await admin.call('DELETE', `/v1/admin/blocks/${String(body.id)}`);
      expect((await call(from(ip))).status).toBe(401);
      await eventually(async () => (await call(from(ip), { at: second })).status === 401, 2_000);
    });

    it('every instance, also when their commit took long', async () => {
      const ip = newIp();
      await block(newIp());
      await gateway.database.rows(
        `insert into ip_blocks (id, network, kind, reason, expires_at, changed_at)
         values ('blk_late', $1, 'block', 'late', now() + interval '1 hour', clock_timestamp() - interval '1 minute')`, [ip],
      );
      await eventually(async () => (await call(from(ip))).status === 403, 2_000);
    });

    it('over a restart, and still end at their time', async () => {
      await useOwnGateway();
      const ip = newIp();
      await block(ip);
      const restarted = await another(BEHIND_PROXY);
      expectProblem(await call(from(ip), { at: restarted }), 403, 'ip_blocked');
      advance(16 * MINUTE_MS);
      expect((await call(from(ip), { at: restarted })).status).toBe(401);
    });

    it('nobody where security is switched off, but are recorded', async () => {
      const lenient = await another({ ...BEHIND_PROXY, SECURITY_ENABLED: 'false' });
      const ip = newIp();
      expect(await calls(from(ip), 105, lenient)).toEqual([401]);
      expect(await blocks(ip)).toHaveLength(1);
      expect(await events('ip.blocked', ip)).toMatchObject([{ action: 'would be blocked for 900 s; SECURITY_ENABLED is false' }]);
      expect(await eventually(async () => (await events('ip.refused', ip))[0])).toMatchObject({ action: 'would be refused; SECURITY_ENABLED is false' });
    });

    it('no body: it is refused before it is read', async () => {
      const ip = newIp();
      await block(ip);
      const options = { method: 'POST', body: '{"broken', headers: { ...from(ip), 'content-type': 'application/json' } };
      expectProblem(await call({}, { options }), 403, 'ip_blocked');
    });
  });

  describe('of this machine', () => {
    it('do not exist without a forwarding header; with one that is not trusted they do', async () => {
      await useOwnGateway();
      const direct = await another({ RATE_LIMITING_ENABLED: 'false' });
      expect(await calls({}, 105, direct)).toEqual([401]);
      for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip']) await calls({ [header]: newIp() }, 34, direct);
      expectProblem(await call({ 'x-real-ip': newIp() }, { at: direct }), 403, 'ip_blocked');
      expect((await call({}, { at: direct })).status).toBe(401);
    });
  });

  describe('and knocking', () => {
    it('a thousand times is one row of the security log a minute, and no reason for a longer block', async () => {
      await useOwnGateway();
      const ip = newIp();
      await block(ip);
      for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, () => call(from(ip))));
      const rows = await eventually(async () => {
        const written = await events('ip.refused', ip);
        return written.reduce((sum, { count }) => sum + Number(count), 0) === 1000 && written;
      });
      // The minute may have turned while we knocked.
      expect(rows.length).toBeLessThanOrEqual(2);
      expect(rows[0]).toMatchObject({ severity: 'low', action: 'refused with 403 ip_blocked' });
      expect(await blocks(ip)).toHaveLength(1);
      advance(16 * MINUTE_MS);
      expect((await call(from(ip))).status).toBe(401);
    });
  });
});
