import { delayAfterFailureMs, parseRetryAfter } from './retry-schedule';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const least = (): number => 0;
const most = (): number => 0.999_999;

describe('delayAfterFailureMs', () => {
  it.each([
    [1, 5 * SECOND], [2, 300 * SECOND], [3, 1_800 * SECOND], [4, 2 * HOUR], [5, 5 * HOUR], [6, 10 * HOUR], [7, 14 * HOUR],
    [8, 20 * HOUR], [9, 24 * HOUR],
  ])('waits after failure %i at least %i ms and at most a tenth more', (failures, delayMs) => {
    expect(delayAfterFailureMs(failures, undefined, least)).toBe(delayMs);
    expect(delayAfterFailureMs(failures, undefined, most)).toBeGreaterThan(delayMs * 1.09);
    expect(delayAfterFailureMs(failures, undefined, most)).toBeLessThanOrEqual(delayMs * 1.1);
  });

  it('ends after the ninth wait, whatever the receiver asks for', () => {
    expect(delayAfterFailureMs(10)).toBeUndefined();
    expect(delayAfterFailureMs(10, 60)).toBeUndefined();
  });

  it('never comes back before the receiver asked it to', () => {
    expect(delayAfterFailureMs(1, 120, least)).toBe(120 * SECOND);
    expect(delayAfterFailureMs(1, 120, most)).toBeGreaterThan(120 * SECOND);
  });

  it('does not come back earlier than planned, nor later than a day, because of the receiver', () => {
    expect(delayAfterFailureMs(4, 1, least)).toBe(2 * HOUR);
    expect(delayAfterFailureMs(1, 10 ** 15, least)).toBe(24 * HOUR);
  });

  it('spreads by itself', () => {
    const delays = Array.from({ length: 50 }, () => delayAfterFailureMs(9));
    expect(new Set(delays).size).toBeGreaterThan(40);
  });
});

describe('parseRetryAfter', () => {
  const now = new Date('2026-01-02T03:04:05.500Z');

  it.each([
    ['0', 0], ['120', 120], ['Fri, 02 Jan 2026 03:05:05 GMT', 60], ['Fri, 02 Jan 2026 03:04:05 GMT', 0],
    ['Thu, 01 Jan 2015 00:00:00 GMT', 0],
  ])('reads %j as %i seconds', (header, seconds) => {
    expect(parseRetryAfter(header, now)).toBe(seconds);
  });

  it.each([
    undefined, '', '-1', '1.5', '1e9', ' 5', '5, 6', 'soon', '9'.repeat(16),
    '2026-01-02T03:05:05Z', 'Fri, 99 Jan 2026 03:05:05 GMT', 'Fri, 02 Xxx 2026 03:05:05 GMT',
  ])('does not read %j', (header) => {
    expect(parseRetryAfter(header, now)).toBeUndefined();
  });
});
