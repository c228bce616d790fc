import { idLowerBound, isId, newId } from './identifiers';

describe('newId', () => {
  it('is the prefix, twelve hex digits of time and twenty random ones', () => {
    const id = newId('pay', Date.UTC(2025, 0, 2, 3, 4, 5, 678));
    expect(id).toMatch(/^pay_[0-9a-f]{32}$/);
    expect(id.slice(4, 16)).toBe((1735787045678).toString(16).padStart(12, '0'));
  });

  it('takes the present when no time is given', () => {
    const before = Date.now();
    const bornAtMs = Number.parseInt(newId('wd').slice(3, 15), 16);
    expect(bornAtMs).toBeGreaterThanOrEqual(before);
    expect(bornAtMs).toBeLessThanOrEqual(Date.now());
  });

  it('never repeats itself, also when the random pool is filled again', () => {
    const ids = Array.from({ length: 5000 }, () => newId('evt', 1_700_000_000_000));
    expect(new Set(ids.map((id) => id.slice(16))).size).toBe(ids.length);
    expect(ids.every((id) => isId('evt', id))).toBe(true);
  });

  it('sorts by time', () => {
    const times = [0, 1, 15, 16, 999_999_999_999, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
    const ids = times.map((atMs) => newId('tr', atMs));
    expect([...ids].sort()).toEqual(ids);
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 48])('refuses the time %p', (atMs) => {
    expect(() => newId('pay', atMs)).toThrow(RangeError);
  });
});

describe('isId', () => {
  const id = newId('pay');

  it('accepts an identifier of its own kind', () => {
    expect(isId('pay', id)).toBe(true);
  });

  it.each([
    ['another kind', newId('ref')],
    ['upper case', `pay_${'A'.repeat(32)}`],
    ['too short', id.slice(0, -1)],
    ['too long', `${id}0`],
    ['a line feed at the end', `${id}\n`],
    ['another letter', `pay_${'g'.repeat(32)}`],
    ['no prefix', id.slice(4)],
    ['nothing', ''],
    ['null', null],
    ['a number', 5],
    ['an array', [id]],
  ])('refuses %s', (_what, value) => {
    expect(isId('pay', value)).toBe(false);
  });

  it('tells a prefix from one that it begins with', () => {
    expect(isId('wd', newId('we'))).toBe(false);
    expect(isId('we', newId('wd'))).toBe(false);
  });
});

describe('idLowerBound', () => {
  const atMs = 1_750_000_000_000;

  it('stands before everything of its millisecond and after everything earlier', () => {
    const bound = idLowerBound('pay', new Date(atMs));
    expect(isId('pay', bound)).toBe(true);
    for (let round = 0; round < 200; round += 1) {
      expect(newId('pay', atMs) >= bound).toBe(true);
      expect(newId('pay', atMs - 1) < bound).toBe(true);
    }
  });

  it('gives the smallest identifier for dates before 1970', () => {
    expect(idLowerBound('del', new Date('1969-12-31T23:59:59.999Z'))).toBe(`del_${'0'.repeat(32)}`);
  });

  it('takes the last date that a person can write', () => {
    expect(isId('pay', idLowerBound('pay', new Date('9999-12-31T23:59:59.999Z')))).toBe(true);
  });

  it('refuses an invalid date', () => {
    expect(() => idLowerBound('pay', new Date('nonsense'))).toThrow(RangeError);
  });
});
