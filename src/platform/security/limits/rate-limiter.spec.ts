import type { Settings } from '../../config/settings';
import type { BookAccess, RequestContext, SessionAccess } from '../../http/request-context';
import type { LimitFactors } from './limit-factors';
import { RouteTable } from '../../http/route-table';
import { Metrics } from '../../observability/metrics';
import { allowanceHeaders, rateLimited, RateLimiter } from './rate-limiter';
import { SlidingWindowStorage } from './sliding-window.storage';

const context = (change: Partial<RequestContext> = {}): RequestContext => ({ requestId: 'test', ip: '203.0.113.7', startedAt: 0, ...change });
const access = (keyId: string | undefined, rateMultiplier: number, clientId = 'cli_1') => ({ keyId, rateMultiplier, clientId }) as BookAccess;
const session = (personId: string, clientId: string | null = 'cli_1') => ({ personId, clientId }) as SessionAccess;

describe('RateLimiter', () => {
  const metrics = new Metrics(new RouteTable());
  let storage: SlidingWindowStorage;
  let limiter: RateLimiter;

  beforeEach(() => {
    storage = new SlidingWindowStorage();
    limiter = new RateLimiter(storage, { rateLimitingEnabled: true } as Settings, metrics);
  });
  afterEach(() => storage.onModuleDestroy());

  it('counts by address where there is no key, each class by itself', async () => {
    expect(await limiter.count('anonymous', context())).toMatchObject({ limit: 100, remaining: 99, exceeded: false });
    expect(await limiter.count('anonymous', context())).toMatchObject({ remaining: 98 });
    expect(await limiter.count('anonymous', context({ ip: '203.0.113.8' }))).toMatchObject({ remaining: 99 });
    expect(await limiter.count('health', context())).toMatchObject({ limit: 100, remaining: 99 });
  });

  it('counts by key and multiplies by its tier, wherever it calls from', async () => {
    const caller = access('key_1', 3);
    expect(await limiter.count('key', context({ access: caller }))).toMatchObject({ limit: 3000, remaining: 2999 });
    expect(await limiter.count('key', context({ access: caller, ip: '198.51.100.1' }))).toMatchObject({ remaining: 2998 });
    expect(await limiter.count('key', context({ access: access('key_2', 1) }))).toMatchObject({ limit: 1000, remaining: 999 });
  });

  it('multiplies the shared budget only', async () => {
    expect(await limiter.count('key_generation', context({ access: access('key_1', 100) }))).toMatchObject({ limit: 5, remaining: 4 });
  });

  it('counts a person on the routes of keys in a class of their own, without a tier', async () => {
    const person = context({ session: session('per_1'), access: access(undefined, 100) });
    expect(await limiter.count('key', person)).toMatchObject({ name: 'person', limit: 300, remaining: 299 });
    expect(await limiter.count('key', { ...person, ip: '198.51.100.1' })).toMatchObject({ name: 'person', remaining: 298 });
    expect(await limiter.count('person', context({ session: session('per_2') }))).toMatchObject({ name: 'person', remaining: 299 });
  });

  it('counts new keys by client, whichever of its keys or people asks', async () => {
    const callers = [
      { access: access('key_1', 1) }, { access: access('key_2', 1) }, { session: session('per_1') },
      { session: session('per_2'), access: access(undefined, 1) },
    ];
    const counted = await Promise.all(callers.map((caller) => limiter.count('key_generation', context(caller))));
    expect(counted.map((allowance) => allowance?.remaining)).toEqual([4, 3, 2, 1]);
    expect(await limiter.count('key_generation', context({ access: access('key_3', 1, 'cli_2') }))).toMatchObject({ remaining: 4 });
  });

  it('counts callers by key, else by person, else by address, and decisions by person', async () => {
    const left = async (name: 'rates' | 'decision', change: Partial<RequestContext>) => (await limiter.count(name, context(change)))?.remaining;
    expect([await left('rates', { access: access('key_1', 1) }), await left('rates', { access: access('key_2', 1) })]).toEqual([59, 59]);
    expect([await left('rates', { session: session('per_1') }), await left('rates', { session: session('per_1'), ip: '::1' })]).toEqual([59, 58]);
    expect([await left('rates', {}), await left('rates', {})]).toEqual([59, 58]);
    expect([await left('decision', { session: session('per_1') }), await left('decision', { session: session('per_2') })]).toEqual([29, 29]);
  });

  it('counts for a subject that the handler names, wherever it calls from', async () => {
    expect(await limiter.countFor('refresh', 'ses_1', context())).toMatchObject({ name: 'refresh', limit: 10, windowMs: 600_000, remaining: 9 });
    expect(await limiter.countFor('refresh', 'ses_1', context({ ip: '198.51.100.1' }))).toMatchObject({ remaining: 8 });
    expect(await limiter.countFor('refresh', 'ses_2', context())).toMatchObject({ remaining: 9 });
    expect(await limiter.countFor('password_reset', 'ses_1', context())).toMatchObject({ limit: 3, remaining: 2 });
  });

  it('tightens the shared budgets by risk, never to nothing, and no others', async () => {
    const risky = context({ access: access('key_1', 2) });
    const tightened = (factor: number) => new RateLimiter(storage, { rateLimitingEnabled: true } as Settings, metrics, { factor: () => factor } as unknown as LimitFactors);
    expect(await tightened(0.25).count('key', risky)).toMatchObject({ limit: 500 });
    expect(await tightened(0.25).count('person', context({ session: session('per_1') }))).toMatchObject({ limit: 75 });
    expect(await tightened(0.25).count('anonymous', context())).toMatchObject({ limit: 25 });
    expect(await tightened(0.0001).count('anonymous', context({ ip: '203.0.113.9' }))).toMatchObject({ limit: 1, remaining: 0, exceeded: false });
    expect(await tightened(0.25).count('health', context())).toMatchObject({ limit: 100 });
    expect(await tightened(0.25).count('password_reset_ip', context())).toMatchObject({ limit: 10 });
  });

  it('is exceeded at the limit plus one', async () => {
    const caller = context({ access: access('key_1', 1) });
    for (let made = 0; made < 5; made += 1) expect((await limiter.count('key_generation', caller))?.exceeded).toBe(false);
    expect(await limiter.count('key_generation', caller)).toMatchObject({ exceeded: true, remaining: 0 });
  });

  it('counts nothing when limits are switched off', async () => {
    const off = new RateLimiter(storage, { rateLimitingEnabled: false } as Settings, metrics);
    expect(await off.count('anonymous', context())).toBeUndefined();
  });
});

describe('what a caller is told of its allowance', () => {
  const allowance = { name: 'key', limit: 1000, windowMs: 60_000, remaining: 7, resetMs: 12_300, exceeded: false } as const;

  it('is both forms of header', () => {
    expect(allowanceHeaders(allowance, 1_750_000_000_000)).toEqual({
      'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '1750000013',
      ratelimit: '"key";r=7;t=13', 'ratelimit-policy': '"key";q=1000;w=60',
    });
  });

  it('is a 429 with the same headers and a time to come back', () => {
    const { code, status, headers } = rateLimited({ ...allowance, remaining: 0, exceeded: true });
    expect([code, status]).toEqual(['rate_limited', 429]);
    expect(headers).toMatchObject({ 'retry-after': '13', 'x-ratelimit-remaining': '0', 'ratelimit-policy': '"key";q=1000;w=60' });
  });

  it('never says to come back in no time', () => {
    expect(rateLimited({ ...allowance, resetMs: 0 }).headers['retry-after']).toBe('1');
  });
});
