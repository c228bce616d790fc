import { RiskFactors } from '../src/fraud/risk-factors';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer } from './support/merchant';
import { knock } from './support/outsider';
import type { SendOptions } from './support/send';

const NAMES = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit', 'ratelimit-policy', 'retry-after'] as const;
const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

describe('limits', () => {
  let gateway: Gateway;

  // Counters live in memory, so that an instance of its own is a fresh start for each test.
  beforeEach(async () => {
    gateway = await Gateway.start();
  });
  afterEach(() => gateway.stop());

  const headersOf = ({ headers }: Pick<Answer, 'headers'>) => Object.fromEntries(NAMES.map((name) => [name, headers.get(name)]));
  const anybody = (path: string, { headers = {}, ...options }: SendOptions = {}) => knock(gateway.url + path, headers, options);
  const expectRefused = (answer: Pick<Answer, 'status' | 'headers' | 'body'>, name: string, limit: number, seconds: number) => {
    expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
    const told = headersOf(answer);
    expect(told).toMatchObject({ 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': '0', 'ratelimit-policy': `"${name}";q=${limit};w=${seconds}` });
    expect(told.ratelimit).toMatch(new RegExp(`^"${name}";r=0;t=\\d+$`));
    const wait = Number(told['retry-after']);
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(2 * seconds);
    expect(Math.abs(Number(told['x-ratelimit-reset']) - Date.now() / 1000 - wait)).toBeLessThan(3);
  };

  it('are told with every answer', async () => {
    const merchant = await gateway.merchant({ rateMultiplier: 2 });
    const answers = [await merchant.get('/v1/payments'), await merchant.post('/v1/payments', order), await merchant.post('/v1/payments', {})];
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 422]);
    for (const [at, answer] of answers.entries()) {
      const told = headersOf(answer);
      const left = 2000 - 1 - at;
      expect(told).toMatchObject({
        'x-ratelimit-limit': '2000', 'x-ratelimit-remaining': String(left), 'ratelimit-policy': '"key";q=2000;w=60', 'retry-after': null,
      });
      expect(told.ratelimit).toMatch(new RegExp(`^"key";r=${left};t=\\d+$`));
      const seconds = Number(told['x-ratelimit-reset']) - Date.now() / 1000;
      expect(seconds).toBeGreaterThan(-2);
      expect(seconds).toBeLessThanOrEqual(61);
    }
  });

  it('refuse the call after the last one, with the time to come back', async () => {
    const merchant = await gateway.merchant();
    for (let call = 0; call < 30; call += 1) expect((await merchant.call('PATCH', '/v1/client/settings', {})).status).toBe(200);
    expectRefused(await merchant.call('PATCH', '/v1/client/settings', {}), 'client_edit', 30, 60);
    expect((await merchant.get('/v1/client/settings')).status).toBe(200);
    const [event] = await gateway.database.rows(`select kind, source, route from security_events where kind = 'rate_limit.exceeded'`);
    expect(event).toEqual({ kind: 'rate_limit.exceeded', source: merchant.credentials.keyId, route: 'PATCH /v1/client/settings' });
  });

  it('count each key by itself', async () => {
    const merchant = await gateway.merchant();
    const second = await anotherKey(gateway, merchant);
    for (let call = 0; call < 31; call += 1) await merchant.call('PATCH', '/v1/client/settings', {});
    expect((await second.call('PATCH', '/v1/client/settings', {})).status).toBe(200);
  });

  it('hold for the thousand and first call of a key of the smallest tier', async () => {
    const merchant = await gateway.merchant({ rateMultiplier: 1 });
    const statuses = new Map<number, number>();
    let refused: Answer | undefined;
    for (let round = 0; round < 21; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => merchant.get('/v1/client')));
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      refused = answers.findLast(({ status }) => status === 429) ?? refused;
    }
    // The window slides on while we ask, so that a few more than a thousand may get in: also the very next one, where asking took long.
    expect(statuses.get(200)).toBeGreaterThanOrEqual(1000);
    expect(statuses.get(429)).toBeGreaterThan(0);
    expectRefused(refused!, 'key', 1000, 60);
  });

  it('count callers without a key by address, and whoever guesses at keys with them', async () => {
    const guess = (at: number) => anybody('/v1/payments', { headers: { 'x-api-key': `cpg_test_${String(at).padStart(40, 'A')}` } });
    const first = await guess(0);
    expect([first.status, headersOf(first)['x-ratelimit-remaining']]).toEqual([401, '99']);
    for (let at = 1; at < 60; at += 1) expect((await guess(at)).status).toBe(401);
    // Without a key, and at addresses that do not exist, it is the same budget.
    for (let at = 60; at < 80; at += 1) expect((await anybody('/v1/payments')).status).toBe(401);
    for (let at = 80; at < 100; at += 1) expect((await anybody(`/v1/nothing/${at}`)).status).toBe(404);
    expectRefused(await guess(100), 'anonymous', 100, 60);
    expectRefused(await anybody('/.env'), 'anonymous', 100, 60);
    // A good key is another budget, also from this address.
    expect((await (await gateway.merchant()).get('/v1/payments')).status).toBe(200);
    expect((await anybody('/health/live')).status).toBe(200);
  });

  it('are tightened for a client whose payments are held again and again, and for no busy shop with a few odd ones', async () => {
    const limits = async (noticed: number, payments: number, daysAgo = 0) => {
      const merchant = await gateway.merchant({ rateMultiplier: 1 });
      const { clientId } = merchant.credentials;
      await gateway.database.rows(
        `insert into risk_assessments (client_id, livemode, subject_id, subject, score, decision, reasons, signals, fired, revision, created_at)
         select $1, false, 'pay_' || n, 'payment', 0.5, 'review', '[]', '{}', '{}', 1, now() - make_interval(days => $3) from generate_series(1, $2::int) n`,
        [clientId, noticed, daysAgo],
      );
      await gateway.database.rows("select count_risk(array[$1], '{false}', '{client}', array[$1], array[$2]::bigint[], '{0}')", [clientId, payments]);
      await gateway.app.get(RiskFactors, { strict: false }).sweep();
      return headersOf(await merchant.get('/v1/payments'))['x-ratelimit-limit'];
    };
    expect([await limits(20, 80), await limits(19, 19), await limits(20, 81), await limits(50, 100), await limits(49, 49), await limits(50, 101), await limits(50, 50, 1)])
      .toEqual(['500', '1000', '1000', '250', '500', '500', '1000']);
  });

  it('cannot be escaped by a made-up forwarding header', async () => {
    for (let at = 0; at < 100; at += 1) await anybody('/v1/payments', { headers: { 'x-forwarded-for': `203.0.113.${at}` } });
    // A hundred refusals in five minutes are not limited any more but blocked, and a made-up address does not take the block away.
    const answer = await anybody('/v1/payments', { headers: { 'x-forwarded-for': '203.0.113.200' } });
    expect([answer.status, answer.body.code]).toEqual([403, 'ip_blocked']);
  });

  it('are switched off by their setting, with their headers', async () => {
    const free = await Gateway.start({ database: gateway.database, environment: { RATE_LIMITING_ENABLED: 'false' } });
    const merchant = (await gateway.merchant()).with({ url: free.url });
    for (let call = 0; call < 35; call += 1) {
      const answer = await merchant.call('PATCH', '/v1/client/settings', {});
      expect([answer.status, answer.headers.get('x-ratelimit-limit')]).toEqual([200, null]);
    }
    await free.stop();
  });
});
