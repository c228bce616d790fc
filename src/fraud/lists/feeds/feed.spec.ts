import { MAX_FEED_BYTES, MAX_FEED_LINES, readFeed } from './feed';

describe('a feed', () => {
  it('is one value a line, each once, with comments, empty lines and further columns passed over', async () => {
    const text = [
      '\uFEFF# addresses that attack', '', '203.0.113.7', '203.0.113.0/24 ; SBL123', '"198.51.100.7","2026-01-31","scanner"', '198.51.100.8\tfirst seen',
      '203.0.113.7', '  2001:DB8::/32  # a network', '; the end',
    ].join('\r\n');
    expect(await readFeed('ip', text)).toEqual({
      values: ['203.0.113.7', '203.0.113.0/24', '198.51.100.7', '198.51.100.8', '2001:db8::/32'], refused: 0, refusedLines: [],
    });
  });

  it('tells which lines hold no value and why, the first twenty of them', async () => {
    const { values, refused, refusedLines } = await readFeed('ip', `ip,seen\n203.0.113.7\n0.0.0.0/0\n${'x\n'.repeat(30)}`);
    expect([values, refused, refusedLines.length]).toEqual([['203.0.113.7'], 32, 20]);
    expect(refusedLines.slice(0, 3)).toEqual([
      { line: 1, reason: expect.stringContaining('not an IP address') }, { line: 3, reason: 'is wider than /8' }, { line: 4, reason: expect.any(String) },
    ]);
  });

  it('of domains takes domains', async () => {
    expect(await readFeed('email_domain', 'Mailinator.com\n@trash.example\n203.0.113.7\n')).toMatchObject({
      values: ['mailinator.com', 'trash.example'], refused: 1, refusedLines: [{ line: 3 }],
    });
  });

  it('does not take a line that has no end for a value', async () => {
    expect(await readFeed('ip', `203.0.113.7,${'x'.repeat(1_000)}`)).toMatchObject({ values: [], refusedLines: [{ line: 1, reason: 'is too long' }] });
  });

  it('is taken up to its bounds and refused beyond them', async () => {
    const lines = (count: number) => '\n'.repeat(count - 1).concat('203.0.113.7\n');
    expect((await readFeed('ip', lines(MAX_FEED_LINES))).values).toEqual(['203.0.113.7']);
    await expect(readFeed('ip', lines(MAX_FEED_LINES + 1))).rejects.toThrow('more than 200,000 lines');
    await expect(readFeed('ip', ' '.repeat(MAX_FEED_BYTES + 1))).rejects.toThrow('larger than 10 MiB');
  });

  it('lets others have their turn while it is read', async () => {
    let turns = 0;
    const count = setInterval(() => { turns += 1; }, 0);
    await readFeed('ip', Array.from({ length: 50_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`).join('\n'));
    clearInterval(count);
    expect(turns).toBeGreaterThan(5);
  });
});
