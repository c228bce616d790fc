import { SlidingWindowStorage } from './sliding-window.storage';

const MINUTE_MS = 60_000;
/** A whole number of windows, so that a test's first hit opens one. */
const START = 1_750_000_000_000 - (1_750_000_000_000 % MINUTE_MS);

describe('the sliding window', () => {
  let storage: SlidingWindowStorage;

  beforeEach(() => {
    storage = new SlidingWindowStorage();
  });
  afterEach(() => storage.onModuleDestroy());

  const hit = (atMs: number, limit = 10, key = 'caller') => storage.hit(key, MINUTE_MS, limit, START + atMs);
  const hits = (count: number, atMs: number, limit = 10) => Array.from({ length: count }, () => hit(atMs, limit)).map(({ isBlocked }) => isBlocked);

  it('lets in as many as the limit, and not one more', () => {
    expect(hits(11, 0)).toEqual([...Array.from({ length: 10 }, () => false), true]);
  });

  it('tells how many count', () => {
    expect(hit(0).totalHits).toBe(1);
    expect(hit(10).totalHits).toBe(2);
    hits(8, 20);
    expect(hit(30).totalHits).toBe(10);
  });

  it('counts callers apart', () => {
    hits(10, 0);
    expect(hit(1, 10, 'another').isBlocked).toBe(false);
    expect(hit(1).isBlocked).toBe(true);
  });

  it('does not let a full window in twice around its edge', () => {
    expect(hits(10, MINUTE_MS - 1)).not.toContain(true);
    expect(hit(MINUTE_MS).isBlocked).toBe(true);
    // Half of the earlier window has slid out: five of ten count still.
    expect(hits(6, MINUTE_MS * 1.5)).toEqual([false, false, false, false, false, true]);
  });

  it('forgets what is two windows old', () => {
    hits(10, 0);
    expect(hit(MINUTE_MS * 2).totalHits).toBe(1);
  });

  it('does not count what it refuses, so that knocking on keeps nobody out', () => {
    hits(10, 0);
    hits(1000, MINUTE_MS / 2);
    expect(hit(MINUTE_MS * 1.2).isBlocked).toBe(false);
  });

  it.each([
    ['a full window', 10, 10, [[10, 0]], 0],
    ['a full window, later in it', 10, 10, [[10, 0]], 59_999],
    ['a full earlier window', 10, 10, [[10, 1000]], MINUTE_MS],
    ['an uneven pair of windows', 10, 10, [[8, 0], [4, MINUTE_MS * 1.3]], MINUTE_MS * 1.3],
    ['a limit of one', 1, 1, [[1, 0]], 100],
    ['a limit of 1000', 1000, 1000, [[1000, 500]], 30_000],
  ] as const)('says exactly when there is room again after %s', (_what, limit, _same, before, atMs) => {
    for (const [count, at] of before) hits(count, at, limit);
    const refused = hit(atMs, limit);
    expect(refused.isBlocked).toBe(true);
    const waitMs = refused.timeToExpire * 1000;
    expect(hit(atMs + waitMs - 2, limit).isBlocked).toBe(true);
    expect(hit(atMs + waitMs + 1, limit).isBlocked).toBe(false);
  });

  it('answers the throttler in seconds', () => {
    hits(10, 0);
    const { timeToExpire, timeToBlockExpire, isBlocked } = hit(30_000);
    expect({ isBlocked, timeToBlockExpire }).toEqual({ isBlocked: true, timeToBlockExpire: timeToExpire });
    expect(timeToExpire).toBeCloseTo(36, 5);
  });

  it('never lets more than the limit through in any minute of steady knocking', () => {
    const letIn: number[] = [];
    for (let atMs = 0; atMs < MINUTE_MS * 5; atMs += 250) if (!hit(atMs).isBlocked) letIn.push(atMs);
    for (const from of letIn) {
      const within = letIn.filter((at) => at >= from && at < from + MINUTE_MS).length;
      // The earlier window counts as if it had been even, so a minute across an edge may hold one more.
      expect(within).toBeLessThanOrEqual(11);
    }
    expect(letIn.length).toBeGreaterThanOrEqual(45);
  });
});
