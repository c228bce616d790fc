import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { eventually } from '../../../../test/support/eventually';
import { RedisServer } from '../../../../test/support/redis-server';
import type { Settings } from '../../config/settings';
import type { SecurityEvent } from '../security-events';
import { RedisLink } from './redis-link';
import { SharedWindowStorage } from './shared-window.storage';

describe('the link to Redis', () => {
  const closings: (() => unknown)[] = [];
  beforeAll(() => Logger.overrideLogger(false));
  afterEach(async () => {
    for (const close of closings.splice(0)) await close();
  });

  const startServer = async () => {
    const server = await RedisServer.start();
    closings.unshift(() => server.stop());
    return server;
  };
  const startLink = async (redisUrl?: string) => {
    const events: SecurityEvent[] = [];
    const link = new RedisLink({ redisUrl } as Settings, { write: async (event) => void events.push(event) });
    const storage = new SharedWindowStorage(link);
    closings.unshift(() => storage.onModuleDestroy(), () => link.onApplicationShutdown());
    await link.onApplicationBootstrap();
    const hit = async () => {
      const startedAt = performance.now();
      const { isBlocked, totalHits } = await storage.increment('caller', 3_600_000, 1_000);
      return { isBlocked, totalHits, milliseconds: performance.now() - startedAt };
    };
    return { link, events, hit, kinds: () => events.map(({ kind }) => kind) };
  };

  it('shares counters between instances', async () => {
    const server = await startServer();
    const [one, other] = [await startLink(server.url), await startLink(server.url)];
    expect([(await one.hit()).totalHits, (await other.hit()).totalHits, (await one.hit()).totalHits]).toEqual([1, 2, 3]);
    expect([one.link.state, one.kinds()]).toEqual(['ok', []]);
  });

  it('is unused where no Redis is set', async () => {
    const { link, hit, kinds } = await startLink();
    expect([link.state, (await hit()).totalHits, kinds()]).toEqual(['unused', 1, []]);
  });

  it('starts without Redis, says so once, and finds it when it comes', async () => {
    const server = await startServer();
    await server.kill();
    const { link, hit, events, kinds } = await startLink(server.url);
    expect([link.state, (await hit()).totalHits, kinds()]).toEqual(['away', 1, ['limits.redis_lost']]);
    expect(events[0]).toMatchObject({ severity: 'high', source: 'redis', details: { reason: expect.stringContaining('ECONNREFUSED') } });
    await server.run();
    await eventually(() => link.state === 'ok');
    expect([(await hit()).totalHits, kinds()]).toEqual([1, ['limits.redis_lost', 'limits.redis_back']]);
  });

  it('counts in memory from the moment Redis is killed, and in Redis again when it is back', async () => {
    const server = await startServer();
    const { link, hit, kinds } = await startLink(server.url);
    await hit();
    await server.kill();
    const during = await Promise.all(Array.from({ length: 100 }, hit));
    expect(during.map(({ totalHits }) => totalHits)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(kinds()).toEqual(['limits.redis_lost']);
    await server.run();
    await eventually(() => link.state === 'ok');
    expect((await hit()).totalHits).toBe(1);
    expect(kinds()).toEqual(['limits.redis_lost', 'limits.redis_back']);
  });

  it('waits once for a frozen Redis, and not at all after that', async () => {
    const server = await startServer();
    const { link, hit, kinds } = await startLink(server.url);
    await hit();
    server.freeze();
    const found = await Promise.all([hit(), hit(), hit()]);
    for (const { milliseconds } of found) expect(milliseconds).toBeLessThan(150);
    expect(link.state).toBe('away');
    for (let at = 0; at < 100; at += 1) expect((await hit()).milliseconds).toBeLessThan(30);
    server.thaw();
    await eventually(() => link.state === 'ok');
    expect(kinds()).toEqual(['limits.redis_lost', 'limits.redis_back']);
  });

  it('counts in memory when Redis answers errors', async () => {
    const server = await startServer();
    const { link, hit, events } = await startLink(server.url);
    await hit();
    // As one that has become a replica: it answers, and may not be written.
    await link.ask((redis) => redis.replicaof('127.0.0.1', 1), () => 'no');
    expect(await hit()).toMatchObject({ isBlocked: false, totalHits: 1 });
    expect(events).toMatchObject([{ kind: 'limits.redis_lost', details: { reason: expect.stringContaining('READONLY') } }]);
    // It takes connections, so only a probe that writes can tell that it is of no use yet.
    const operator = new Redis(server.url);
    closings.unshift(() => operator.disconnect());
    const connections = async () => Number(/total_connections_received:(\d+)/.exec(await operator.info('stats'))?.[1]);
    const before = await connections();
    await eventually(async () => (await connections()) >= before + 2);
    expect([link.state, events.length]).toEqual(['away', 1]);
    await operator.replicaof('no', 'one');
    await eventually(() => link.state === 'ok');
  });

  it('gives up on a server that takes connections and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    closings.unshift(() => closeAll(silent, sockets));
    const { link, hit } = await startLink(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    expect([link.state, (await hit()).totalHits]).toEqual(['away', 1]);
  });

  it('does not take a busy moment of its own for an outage', async () => {
    const server = await startServer();
    const { link, hit, kinds } = await startLink(server.url);
    const asked = hit();
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect((await asked).totalHits).toBe(1);
    expect([link.state, kinds()]).toEqual(['ok', []]);
  });

  it('tells nothing of its own end', async () => {
    const server = await startServer();
    const { link, hit, kinds } = await startLink(server.url);
    await hit();
    await link.onApplicationShutdown();
    expect([link.state, (await hit()).totalHits, kinds()]).toEqual(['away', 1, []]);
  });
});

async function closeAll(server: Server, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => void server.close(resolve));
}
