import { nextLookInMs } from './look-schedule';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('how often an address is looked at', () => {
  it.each([
    ['open', undefined, 5_000],
    ['just closed', 0, MINUTE],
    ['a clock that is behind', -1_000, MINUTE],
    ['closed for almost an hour', HOUR - 1, MINUTE],
    ['closed for an hour', HOUR, 10 * MINUTE],
    ['closed for a day', DAY, HOUR],
    ['closed for a week', 7 * DAY, DAY],
    ['closed for 90 days', 90 * DAY, undefined],
  ])('%s', (_what, closedForMs, everyMs) => {
    expect(nextLookInMs(closedForMs)).toBe(everyMs);
  });
});
