import { RedisServer } from '../../../../test/support/redis-server';
import { Attempts, type AttemptRule, type AttemptStore } from './attempts';
import { MemoryAttempts } from './memory-attempts';
import { type CountingClient, RedisConnection } from './redis-connection';
import { SharedAttempts } from './shared-attempts';
import { SlidingWindowStorage } from './sliding-window.storage';

const START = 1_750_000_000_000;

/** mulberry32: the same numbers from 0 to 1 in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('Redis counts as memory does', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  const ended: Error[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
    connection = await RedisConnection.open(server.url, (_connection, reason) => void ended.push(reason));
  });
  afterAll(async () => {
    connection?.end(new Error('The test is over.'));
    await server?.stop();
  });
  afterEach(() => expect(ended).toEqual([]));

  /** Redis or nothing: an answer from memory would always be the same. */
  const link = { ask: <T>(question: (client: CountingClient) => Promise<T>) => connection.ask(question) };

  it('in sliding windows, for any sequence of calls', async () => {
    const memory = new SlidingWindowStorage();
    const random = randomFrom(20_251_120);
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)];
    const classes = [[60_000, 10], [60_000, 1], [1_000, 3], [3_600_000, 5], [7_777, 40]] as const;
    let now = START;
    let refused = 0;
    for (let call = 0; call < 4_000; call += 1) {
      now += Math.floor(random() ** 6 * 20_000);
      const [windowMs, limit] = pick(classes);
      const key = `same:${windowMs}:${limit}:${pick(['a', 'b'])}`;
      const [isBlocked, totalHits, waitMs] = await connection.ask((redis) => redis.windowHit(key, windowMs, limit, now));
      const expected = memory.hit(key, windowMs, limit, now);
      expect({ call, isBlocked: isBlocked === 1, totalHits, seconds: Number(waitMs) / 1000 }).toEqual({
        call, isBlocked: expected.isBlocked, totalHits: expected.totalHits, seconds: expected.timeToExpire,
      });
      refused += isBlocked;
    }
    memory.onModuleDestroy();
    expect(refused).toBeGreaterThan(200);
    expect(refused).toBeLessThan(3_800);
  });

  it('in failed attempts, for any sequence of them', async () => {
    let now = START;
    const clock = () => now;
    const memory = new MemoryAttempts(clock);
    const shared = new SharedAttempts(link, clock);
    const random = randomFrom(7);
    const rule: AttemptRule = { limit: 3, windowMs: 300_000 };
    const acts: readonly ((store: AttemptStore, key: string) => Promise<unknown>)[] = [
      (store, key) => store.take(key, rule), (store, key) => store.take(key, rule), (store, key) => store.take(key, rule),
      (store, key) => store.failures(key, rule), (store, key) => store.giveBack(key, rule),
    ];
    const told = new Map<string, number>();
    for (let at = 0; at < 3_000; at += 1) {
      now += Math.floor(random() ** 8 * 5_000_000);
      const key = random() < 0.5 ? 'ada' : 'bob';
      const act = random() < 0.02 ? (store: AttemptStore) => store.forgive(key) : acts[Math.floor(random() * acts.length)];
      const expected = await act(memory, key);
      expect({ at, answer: await act(shared, key) }).toEqual({ at, answer: expected });
      const outcome = JSON.stringify((expected as { allowed?: boolean } | undefined)?.allowed);
      told.set(outcome, (told.get(outcome) ?? 0) + 1);
    }
    memory.onModuleDestroy();
    shared.onModuleDestroy();
    expect(told.get('true')).toBeGreaterThan(100);
    expect(told.get('false')).toBeGreaterThan(100);
  });

  it('by its own clock, each call once, however many come together', async () => {
    const hits = await Promise.all(Array.from({ length: 50 }, () => connection.ask((redis) => redis.windowHit('together', 3_600_000, 20))));
    expect(hits.filter(([isBlocked]) => isBlocked === 0)).toHaveLength(20);
    const attempts = new Attempts(new SharedAttempts(link));
    const taken = await Promise.all(Array.from({ length: 20 }, () => attempts.take('second_factor', 'ada')));
    expect(taken.filter(({ allowed }) => allowed)).toHaveLength(5);
    expect(taken.at(-1)).toMatchObject({ allowed: false, failures: 5 });
    expect(taken.at(-1)?.retryAfterSeconds).toBeGreaterThanOrEqual(299);
  });

  it('and forgets every counter after two windows, every attempt after a day, and no address is kept in clear', async () => {
    const attempts = new Attempts(new SharedAttempts(link));
    await attempts.take('login_account', 'ada@example.com');
    await connection.ask((redis) => redis.windowHit('limit:key:key_1', 60_000, 20));
    const raw = await connection.ask((redis) => redis.keys('cpg:*'));
    expect(raw.join()).not.toContain('example.com');
    expect(raw).toContain('cpg:limit:key:key_1');
    const lives = await connection.ask((redis) => Promise.all(raw.map((key) => redis.pttl(key.slice('cpg:'.length)))));
    for (const lifeMs of lives) expect(lifeMs).toBeGreaterThan(0);
    expect(await connection.ask((redis) => redis.pttl('limit:key:key_1'))).toBeLessThanOrEqual(120_000);
  });
});
