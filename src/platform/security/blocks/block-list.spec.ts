import type { UnitOfWork } from '../../database/unit-of-work';
import type { Sweeper } from '../../jobs/sweeper';
import type { Block, BlockRow } from './block';
import { BlockList } from './block-list';

const MINUTE_MS = 60_000;
const START = Date.now();

/** A database that answers with what it was given and keeps what it was asked. */
class Table {
  readonly asked: { name: string; values: unknown[] }[] = [];
  rows: Partial<BlockRow>[] = [];
  at = new Date(START);

  read(name: string, _text: string, values: unknown[]) {
    this.asked.push({ name, values });
    return Promise.resolve((this.rows.length > 0 ? this.rows : [{ id: null }]).map((row) => ({ at: this.at, ...row })));
  }
}

describe('the list of blocks', () => {
  let table: Table;
  let list: BlockList;
  let made = 0;

  beforeEach(() => {
    table = new Table();
    list = new BlockList(table as unknown as UnitOfWork, { every: jest.fn() } as unknown as Sweeper);
  });
  afterEach(() => jest.restoreAllMocks());

  const block = (network: string, change: Partial<Block> = {}): Block => ({
    id: `blk_${(made += 1)}`, network, kind: 'block', level: 0, reason: 'test', createdBy: null, createdAt: new Date(START),
    expiresAt: new Date(START + 15 * MINUTE_MS), releasedAt: null, releasedBy: null, changedAt: new Date(START), ...change,
  });
  const row = (id: string, network: string): Partial<BlockRow> => ({
    id, network, kind: 'block', level: 1, reason: 'test', created_at: new Date(START), expires_at: new Date(START + 15 * MINUTE_MS), released_at: null,
    changed_at: new Date(START),
  });
  const later = (ms: number) => jest.spyOn(Date, 'now').mockReturnValue(START + ms);

  it('finds single addresses, households and networks of any size, and asks the database for none', () => {
    for (const network of ['203.0.113.7', '2001:db8:1:2::/64', '2001:db8::9', '198.51.100.0/24']) list.take(block(network));
    const found = (ip: string) => list.blockOf(ip)?.network;
    expect(['203.0.113.7', '203.0.113.8', '2001:DB8:1:2::77', '2001:db8:1:3::77', '2001:db8::9', '2001:db8::a', '198.51.100.77', 'unknown'].map(found))
      .toEqual(['203.0.113.7', undefined, '2001:db8:1:2::/64', undefined, '2001:db8::9', undefined, '198.51.100.0/24', undefined]);
    expect(table.asked).toEqual([]);
  });

  it('answers the longest of several, and none where an allow is in force', () => {
    list.take(block('203.0.113.7'));
    list.take(block('203.0.113.0/24', { expiresAt: new Date(START + 60 * MINUTE_MS) }));
    expect(list.blockOf('203.0.113.7')?.network).toBe('203.0.113.0/24');
    list.take(block('203.0.112.0/23', { kind: 'allow', expiresAt: new Date(START + 2 * MINUTE_MS) }));
    expect(list.blockOf('203.0.113.7')).toBeUndefined();
    later(3 * MINUTE_MS);
    expect(list.blockOf('203.0.113.7')?.network).toBe('203.0.113.0/24');
  });

  it('lets go at the time and not before', () => {
    list.take(block('203.0.113.7'));
    later(15 * MINUTE_MS - 1);
    expect(list.blockOf('203.0.113.7')).toBeDefined();
    later(15 * MINUTE_MS);
    expect(list.blockOf('203.0.113.7')).toBeUndefined();
  });

  it('is not taken back by an older reading', () => {
    const blocked = block('203.0.113.7');
    list.take({ ...blocked, releasedAt: new Date(START), changedAt: new Date(START + 1) });
    list.take(blocked);
    expect(list.blockOf('203.0.113.7')).toBeUndefined();
  });

  it('calls settled what is blocked, allowed or was let go a moment ago', () => {
    const releasedAt = new Date(START);
    list.take(block('203.0.113.1'));
    list.take(block('203.0.113.2', { kind: 'allow', expiresAt: null }));
    list.take(block('203.0.113.3', { releasedAt }));
    list.take(block('203.0.113.4', { kind: 'allow', releasedAt }));
    const settled = () => [1, 2, 3, 4, 5].map((last) => list.isSettled(`203.0.113.${last}`));
    expect(settled()).toEqual([true, true, true, false, false]);
    later(6 * MINUTE_MS);
    expect(settled()).toEqual([true, true, false, false, false]);
  });

  it('reads what is in force once, and then what has changed since, by the clock of the database', async () => {
    table.at = new Date('2020-01-01T00:10:00.000Z');
    table.rows = [row('blk_a', '203.0.113.7/32'), row('blk_b', '::1.2.3.4/128')];
    await list.onApplicationBootstrap();
    expect(list.blockOf('203.0.113.7')?.id).toBe('blk_a');
    table.rows = [];
    await list.refresh();
    expect(table.asked.map(({ name }) => name)).toEqual(['', 'changed_ip_blocks']);
    expect(table.asked[1].values).toEqual([new Date('2020-01-01T00:08:30.000Z')]);
    expect(list.blockOf('203.0.113.7')?.id).toBe('blk_a');
  });

  it('forgets what has ended, and only that', async () => {
    list.take(block('203.0.113.7'));
    list.take(block('203.0.113.0/24', { expiresAt: null }));
    later(21 * MINUTE_MS);
    await list.refresh();
    expect((list as unknown as { blocks: Map<string, Block> }).blocks.size).toBe(1);
    expect(list.blockOf('203.0.113.7')?.network).toBe('203.0.113.0/24');
  });
});
