import { DAY_MS } from './facts';
import { Split } from './split';

const DAYS = { trainStart: 100, trainDays: 7, delayDays: 7, testDays: 7 };
const row = (day: number, customer: string, isFraud = false) => ({ at: (day + 0.5) * DAY_MS, customer, isFraud });

/** The parts of rows that are shown in the order of time. */
function partsOf(...rows: ReturnType<typeof row>[]): string[] {
  const split = new Split(DAYS);
  return rows.map((one) => split.partOf(one));
}

describe('the split', () => {
  it('takes 7 days for training, 7 for the delay and 7 for the test', () => {
    const days = [99, 100, 106, 107, 113, 114, 120, 121];
    expect(partsOf(...days.map((day) => row(day, 'a')))).toEqual(
      ['neither', 'train', 'train', 'neither', 'neither', 'test', 'test', 'neither'],
    );
    expect(new Split(DAYS).end).toBe(121);
  });

  it('begins and ends at midnight, UTC', () => {
    const split = new Split(DAYS);
    const at = (day: number, ms: number) => split.partOf({ at: day * DAY_MS + ms, customer: 'a', isFraud: false });
    expect([at(100, -1), at(100, 0), at(107, -1), at(107, 0), at(121, -1), at(121, 0)]).toEqual(
      ['neither', 'train', 'train', 'neither', 'test', 'neither'],
    );
  });

  it.each([
    ['before the training', 99, 'test', 'test'],
    ['on the first day of the training', 100, 'neither', 'neither'],
    ['on its last day', 106, 'neither', 'neither'],
    ['on the first day after it, known on the second day of the test', 107, 'test', 'neither'],
    ['on the last day that the test learns of', 112, 'test', 'test'],
  ])('leaves out a customer with a fraud %s once it is known', (_, fraudDay, first, second) => {
    expect(partsOf(row(fraudDay, 'a', true), row(114, 'a'), row(115, 'a'), row(115, 'b')).slice(1)).toEqual([first, second, 'test']);
  });

  it('leaves nobody out for a fraud of the test that is not known yet', () => {
    expect(partsOf(row(112, 'a', true), row(114, 'b', true), row(119, 'a'), row(120, 'a'), row(120, 'b'))).toEqual(
      ['neither', 'test', 'test', 'neither', 'test'],
    );
  });
});
