import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { RedisServer } from './support/redis-server';

const CALLERS = 8;
const AT_LEAST = 300;

describe('limits in Redis', () => {
  let redis: RedisServer;
  let gateway: Gateway;
  let second: Gateway;

  beforeAll(async () => {
    redis = await RedisServer.start();
    gateway = await Gateway.start({ environment: { REDIS_URL: redis.url } });
    second = await Gateway.start({ environment: { REDIS_URL: redis.url }, database: gateway.database });
  });
  afterAll(async () => {
    await redis?.stop();
    await second?.stop();
    await gateway?.stop();
  });

  const edit = async (merchant: Merchant) => {
    const answer = await merchant.call('PATCH', '/v1/client/settings', {});
    return [answer.status, answer.headers.get('x-ratelimit-remaining')];
  };
  const readiness = async () => {
    const answer = await fetch(`${gateway.url}/health/ready`);
    return [answer.status, ((await answer.json()) as { checks: Record<string, string> }).checks.redis];
  };
  /** How often it was told; each instance tells for itself, and within a minute it is one row. */
  const told = async (kind: string) => Number(await gateway.database.value<string>('select coalesce(sum(count), 0) from security_events where kind = $1', [kind]));
  const countsTogether = async () => {
    const merchant = await gateway.merchant();
    const left = [await edit(merchant), await edit(merchant.with({ url: second.url })), await edit(merchant)];
    expect(left).toEqual([[200, '29'], [200, '28'], [200, '27']]);
  };

  /** Several callers at both instances, until the question has a true answer and enough calls were made to speak of. Answers all statuses. */
  const load = async (merchant: Merchant, until: () => Promise<boolean>): Promise<number[]> => {
    const seen: number[] = [];
    let isOver = false;
    const callers = [merchant, merchant.with({ url: second.url })];
    const running = Promise.all(Array.from({ length: CALLERS }, async (_, at) => {
      while (!isOver) seen.push((await callers[at % callers.length].get('/v1/client')).status);
    }));
    try {
      await eventually(async () => seen.length >= AT_LEAST && (await until()), 30_000);
    } finally {
      isOver = true;
      await running;
    }
    return [...new Set(seen)];
  };

  it('are shared by all instances', async () => {
    const merchant = await gateway.merchant();
    const elsewhere = merchant.with({ url: second.url });
    for (let call = 0; call < 15; call += 1) {
      expect(await edit(merchant)).toEqual([200, String(29 - 2 * call)]);
      expect(await edit(elsewhere)).toEqual([200, String(28 - 2 * call)]);
    }
    expect([await edit(merchant), await edit(elsewhere)]).toEqual([[429, '0'], [429, '0']]);
    expect(await readiness()).toEqual([200, 'ok']);
  });

  it.each([
    { what: 'killed', lose: () => redis.kill(), restore: () => redis.run() },
    // Whoever is under way may have asked it; nobody asks again what does not answer. Of one that is killed nobody hears.
    { what: 'frozen', lose: () => redis.freeze(), restore: () => redis.thaw(), fewest: 1, most: CALLERS },
  ])('go on in memory while Redis is $what in the middle of load, and are shared again after', async ({ lose, restore, fewest, most }) => {
    const [lostBefore, backBefore] = [await told('limits.redis_lost'), await told('limits.redis_back')];
    const merchant = await gateway.merchant();
    const heard = await redis.listen();
    expect(await load(merchant, async () => true)).toEqual([200]);
    const connections = new Set(heard.asked.map(({ from }) => from));

    const losing = load(merchant, async () => (await told('limits.redis_lost')) === lostBefore + 2);
    await lose();
    expect(await losing).toEqual([200]);
    expect(await readiness()).toEqual([200, 'degraded']);
    // What is counted is still limited, by each instance for itself.
    const other = await gateway.merchant();
    for (let call = 0; call < 30; call += 1) expect((await edit(other))[0]).toBe(200);
    expect(await edit(other)).toEqual([429, '0']);
    expect(await edit(other.with({ url: second.url }))).toEqual([200, '29']);

    const restoredAt = Date.now() / 1000;
    await restore();
    await eventually(async () => (await told('limits.redis_back')) === backBefore + 2);
    expect(await told('limits.redis_lost')).toBe(lostBefore + 2);
    expect(await readiness()).toEqual([200, 'ok']);
    await countsTogether();
    heard.stop();
    if (most === undefined) return;
    const waited = heard.asked.filter(({ at, from }) => at >= restoredAt && connections.has(from)).length;
    expect(waited).toBeGreaterThanOrEqual(fewest);
    expect(waited).toBeLessThanOrEqual(most);
  }, 90_000);

  it('do not keep an instance from starting without Redis', async () => {
    await redis.kill();
    const third = await Gateway.start({ environment: { REDIS_URL: redis.url }, database: gateway.database });
    const answer = await fetch(`${third.url}/health/ready`);
    expect([answer.status, await answer.json()]).toMatchObject([200, { status: 'ok', checks: { redis: 'degraded' } }]);
    await third.stop();
    await redis.run();
  });
});
