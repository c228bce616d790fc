import { RefusalFactors } from './refusal-factors';

const MINUTE_MS = 60_000;

describe('the factors of refused addresses', () => {
  let factors: RefusalFactors;

  beforeEach(() => {
    factors = new RefusalFactors();
  });
  afterEach(() => jest.restoreAllMocks());

  const factor = (ip?: string) => factors.factor({ requestId: 'test', ip, startedAt: 0 });

  it('tighten with the refusals and loosen with them', () => {
    const after = (refusals: number) => {
      factors.learn('203.0.113.7', refusals, 5 * MINUTE_MS);
      return factor('203.0.113.7');
    };
    expect([1, 49, 50, 74, 75, 100, 60, 20].map(after)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25, 0.5, 1]);
  });

  it('belong to one network each', () => {
    factors.learn('2001:db8:1:2::/64', 80, 5 * MINUTE_MS);
    expect([factor('2001:db8:1:2::9'), factor('2001:db8:1:3::9'), factor('203.0.113.7'), factor('nobody'), factor()]).toEqual([0.25, 1, 1, 1, 1]);
  });

  it('end with the window', () => {
    factors.learn('203.0.113.7', 80, 5 * MINUTE_MS);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + 5 * MINUTE_MS);
    expect(factor('203.0.113.7')).toBe(1);
  });

  it('do not grow without end', () => {
    for (let at = 0; at <= 10_000; at += 1) factors.learn(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 80, 5 * MINUTE_MS);
    expect([factor('10.0.0.0'), factor('10.0.0.1'), factor('10.0.39.16')]).toEqual([1, 0.25, 0.25]);
  });
});
