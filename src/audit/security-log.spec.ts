import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Problem, type ProblemCode } from '../platform/http/problem';
import { RouteTable } from '../platform/http/route-table';
import { Metrics } from '../platform/observability/metrics';
import type { SecurityEvent } from '../platform/security/security-events';
import { SecurityLog } from './security-log';

interface Counted {
  kind: string;
  source: string;
  count: number;
}

const event = (source: string): SecurityEvent => ({ kind: 'signature.invalid', severity: 'high', source, action: 'refused' });

/** A table that remembers what was written to it, and can be slow or away. */
class Table {
  readonly inserted: string[] = [];
  readonly added: Counted[] = [];
  gate: Promise<void> = Promise.resolve();
  away = false;

  async query(sql: string, values: unknown[]): Promise<void> {
    await this.gate;
    if (this.away) throw new Error('the database is away');
    if (sql.startsWith('insert')) this.inserted.push(String(values[4]));
    else this.added.push(...(JSON.parse(String(values[0])) as Counted[]));
  }
}

describe('SecurityLog', () => {
  let table: Table;
  let log: SecurityLog;

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_750_000_020_000, doNotFake: ['nextTick', 'queueMicrotask', 'performance'] });
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    table = new Table();
    log = new SecurityLog(table as unknown as DataSource, new Metrics(new RouteTable()));
  });
  afterEach(async () => {
    await log.beforeApplicationShutdown();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const second = () => jest.advanceTimersByTimeAsync(1_000);
  const sums = () => table.added.map(({ source, count }) => [source, count]);

  it('writes the first at once and counts the others a second later', async () => {
    for (let time = 0; time < 5; time += 1) await log.write(event('a'));
    await log.write(event('b'));
    expect([table.inserted, table.added]).toEqual([['a', 'b'], []]);
    await second();
    expect(sums()).toEqual([['a', 4]]);
    await second();
    expect(sums()).toEqual([['a', 4]]);
  });

  it('writes a new row in the next minute', async () => {
    await log.write(event('a'));
    await jest.advanceTimersByTimeAsync(60_000);
    await log.write(event('a'));
    expect(table.inserted).toEqual(['a', 'a']);
  });

  it('loses no count while the first row is still being written', async () => {
    let open!: () => void;
    table.gate = new Promise((resolve) => (open = resolve));
    const first = log.write(event('a'));
    await log.write(event('a'));
    await second();
    open();
    await first;
    await second();
    expect([table.inserted, sums()]).toEqual([['a'], [['a', 1]]]);
  });

  it('keeps counting while the database is away, and says so once it is back', async () => {
    await log.write(event('a'));
    await log.write(event('a'));
    table.away = true;
    await second();
    await log.write(event('a'));
    table.away = false;
    await second();
    expect(sums()).toEqual([['a', 2]]);
  });

  it('tries again to write a first row that could not be written', async () => {
    table.away = true;
    await log.write(event('a'));
    table.away = false;
    await log.write(event('a'));
    expect(table.inserted).toEqual(['a']);
  });

  it('puts the flood of a whole network into one row', async () => {
    for (let at = 0; at < 10_050; at += 1) await log.write(event(`10.0.${at >> 8}.${at & 255}`));
    expect(table.inserted).toHaveLength(10_001);
    expect(table.inserted.at(-1)).toBe('others');
    await second();
    expect(sums()).toEqual([['others', 49]]);
  });

  describe('of answers that failed', () => {
    const fail = (route: string, code: ProblemCode = 'internal_error') =>
      log.record(new Problem(code, 'Failed.'), { ip: '203.0.113.7', method: 'GET', route, requestId: 'req_1' });

    it('is written a second later, one row for each route', async () => {
      for (const route of ['/a', '/a', '/b', '/a']) await fail(route);
      await fail('/b', 'provider_unavailable');
      expect(table.inserted).toEqual([]);
      await second();
      expect([table.inserted, sums()]).toEqual([['GET /a', 'GET /b'], [['GET /a', 2], ['GET /b', 1]]]);
      await second();
      expect(table.inserted).toHaveLength(2);
    });

    it('asks a database that is away once a second at most, and tells it all once it is back', async () => {
      table.away = true;
      const query = jest.spyOn(table, 'query');
      for (let time = 0; time < 50; time += 1) await fail(`/${time % 5}`);
      expect(query).not.toHaveBeenCalled();
      await second();
      expect(query).toHaveBeenCalledTimes(1);
      table.away = false;
      await second();
      expect(table.inserted).toHaveLength(5);
      expect(sums().map(([, count]) => count)).toEqual([9, 9, 9, 9, 9]);
    });

    it.each(['paused', 'not_ready'] as const)('does not know %s, which is meant', async (code) => {
      await fail('/a', code);
      await second();
      expect(table.inserted).toEqual([]);
    });
  });
});
