import type { Settings } from '../config/settings';
import type { KeyAccess, RequestContext } from '../http/request-context';
import { allowanceHeaders, rateLimited, RateLimiter } from './rate-limiter';
import { SlidingWindowStorage } from './sliding-window.storage';

const context = (change: Partial<RequestContext> = {}): RequestContext => ({ requestId: 'test', ip: '203.0.113.7', startedAt: 0, ...change });
const access = (keyId: string, rateMultiplier: number) => ({ keyId, rateMultiplier }) as KeyAccess;

describe('RateLimiter', () => {
  let storage: SlidingWindowStorage;
  let limiter: RateLimiter;

  beforeEach(() => {
    storage = new SlidingWindowStorage();
    limiter = new RateLimiter(storage, { rateLimitingEnabled: true } as Settings);
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

  it('is exceeded at the limit plus one', async () => {
    const caller = context({ access: access('key_1', 1) });
    for (let made = 0; made < 5; made += 1) expect((await limiter.count('key_generation', caller))?.exceeded).toBe(false);
    expect(await limiter.count('key_generation', caller)).toMatchObject({ exceeded: true, remaining: 0 });
  });

  it('counts nothing when limits are switched off', async () => {
    const off = new RateLimiter(storage, { rateLimitingEnabled: false } as Settings);
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
