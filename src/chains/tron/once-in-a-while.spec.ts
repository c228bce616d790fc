import { OnceInAWhile } from './once-in-a-while';

describe('what is said once in a while', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is new again after that while', () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(0);
    const words = new OnceInAWhile(1_000, 2);
    expect([words.isNew('a'), words.isNew('a'), words.isNew('b')]).toEqual([true, false, true]);
    clock.mockReturnValue(999);
    expect(words.isNew('a')).toBe(false);
    clock.mockReturnValue(1_000);
    expect([words.isNew('a'), words.isNew('a')]).toEqual([true, false]);
  });

  it('is forgotten when there are too many, the oldest first', () => {
    const words = new OnceInAWhile(1_000, 2);
    for (const word of ['a', 'b', 'c']) words.isNew(word);
    expect([words.isNew('b'), words.isNew('c'), words.isNew('a')]).toEqual([false, false, true]);
  });
});
