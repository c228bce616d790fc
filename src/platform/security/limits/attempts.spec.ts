import { Attempts, FORGET_MS } from './attempts';
import { MemoryAttempts } from './memory-attempts';

const MINUTE_MS = 60_000;

describe('the back-off after failed attempts', () => {
  let now: number;
  let store: MemoryAttempts;
  let attempts: Attempts;

  beforeEach(() => {
    now = 1_750_000_000_000;
    store = new MemoryAttempts(() => now);
    attempts = new Attempts(store);
  });
  afterEach(() => store.onModuleDestroy());

  const take = (subject = 'ada') => attempts.take('login_account', subject);
  const fail = async (count: number) => {
    for (let at = 0; at < count; at += 1) expect((await take()).allowed).toBe(true);
  };
  const pass = (minutes: number) => {
    now += minutes * MINUTE_MS;
  };

  it('lets five in and makes the sixth wait for the window', async () => {
    for (let failures = 1; failures <= 5; failures += 1) expect(await take()).toEqual({ allowed: true, failures, retryAfterSeconds: 0 });
    expect(await take()).toEqual({ allowed: false, failures: 5, retryAfterSeconds: 300 });
  });

  it('lets exactly five of twenty at once in', async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, () => take()));
    expect(taken.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  it('doubles the wait after each further failure, up to an hour', async () => {
    await fail(5);
    for (const minutes of [5, 10, 20, 40, 60, 60, 60]) {
      expect((await take()).retryAfterSeconds).toBe(minutes * 60);
      now += minutes * MINUTE_MS - 1;
      expect(await take()).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
      now += 1;
      const together = await Promise.all([take(), take()]);
      expect(together.map(({ allowed }) => allowed)).toEqual([true, false]);
    }
  });

  it('does not lengthen the wait by what it refuses', async () => {
    await fail(5);
    pass(2);
    for (let at = 0; at < 100; at += 1) await take();
    expect(await take()).toEqual({ allowed: false, failures: 5, retryAfterSeconds: 180 });
  });

  it('forgets what is below the limit one window after the last failure', async () => {
    await fail(2);
    pass(4);
    await fail(2);
    pass(4);
    expect(await attempts.failures('login_account', 'ada')).toBe(4);
    pass(1);
    expect(await attempts.failures('login_account', 'ada')).toBe(0);
    await fail(5);
  });

  it('remembers who reached the limit for a day', async () => {
    await fail(5);
    now += FORGET_MS - 1;
    expect(await attempts.failures('login_account', 'ada')).toBe(5);
    now += 1;
    expect(await attempts.failures('login_account', 'ada')).toBe(0);
    await fail(5);
  });

  it('takes one attempt back as if it had not been made', async () => {
    await fail(5);
    pass(5);
    await fail(1);
    await attempts.giveBack('login_account', 'ada');
    expect(await attempts.failures('login_account', 'ada')).toBe(5);
    // The wait is over already, and stays so.
    await fail(1);
    expect(await take()).toMatchObject({ allowed: false, retryAfterSeconds: 600 });
  });

  it('gives nothing back that was not taken', async () => {
    await attempts.giveBack('login_account', 'ada');
    await fail(5);
    expect((await take()).allowed).toBe(false);
  });

  it('forgives a subject everything', async () => {
    await fail(5);
    await attempts.forgive('login_account', 'ada');
    await fail(5);
  });

  it('counts subjects and rules apart', async () => {
    await fail(5);
    expect((await take('bob')).allowed).toBe(true);
    expect((await attempts.take('login_ip', 'ada')).allowed).toBe(true);
  });

  it('makes room for new subjects by forgetting those that were quiet for longest', async () => {
    const small = new MemoryAttempts(() => now, 2);
    const few = new Attempts(small);
    for (const subject of ['ada', 'bob', 'ada', 'eve']) await few.take('login_ip', subject);
    const left = await Promise.all(['ada', 'bob', 'eve'].map((subject) => few.failures('login_ip', subject)));
    small.onModuleDestroy();
    expect(left).toEqual([2, 0, 1]);
  });
});
