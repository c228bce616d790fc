import { RedisServer } from '../support/redis-server';
import { load, mustAll } from './load';
import { logins, reads } from './requests';
import { type Server, startServer, stopServer } from './servers';

const CONNECTIONS = 32;
const READS = 15_000;
const WARM_UP = 5_000;
/** Of the 300 a minute that a person has. */
const READS_PER_PERSON = 250;
export const PEOPLE = READS / READS_PER_PERSON;

/** One payment, and who may read it: by key, or by tokens of the client's people. */
export interface Readers {
  paymentId: string;
  apiKey: string;
  tokens: readonly string[];
}

/** How many reads a second the bare handler, the guarded one, the same with access tokens and the same with Redis serve. */
export async function measureReads(servers: { bare: Server; gateway: Server; withRedis?: Server }, { paymentId, apiKey, tokens }: Readers) {
  const address = `/v1/payments/${paymentId}`;
  const run = async (server: Server, requests: readonly Buffer[]) => mustAll(await load(server.port, requests, CONNECTIONS), 200, 'reads').perSecond;
  const byKey = reads(address, { 'x-api-key': apiKey }, READS);
  // The others have served for a while; this one has just started, and its code is not compiled yet.
  if (servers.withRedis) await run(servers.withRedis, byKey.slice(0, WARM_UP));
  const live = { 'x-livemode': 'true' };
  const byToken = Array.from({ length: READS }, (_, at) => reads(address, { authorization: `Bearer ${tokens[at % tokens.length]}`, ...live }, 1)[0]);
  return {
    bare: await run(servers.bare, reads(`/bare/${paymentId}`, {}, READS)),
    guarded: await run(servers.gateway, byKey),
    byToken: await run(servers.gateway, byToken),
    withRedis: servers.withRedis && (await run(servers.withRedis, byKey)),
  };
}

/** The p99 of reads in milliseconds, with nothing else under way and while passwords are hashed without a pause. */
export async function measureHashing(gateway: Server, { paymentId, apiKey }: Readers): Promise<{ idle: number; hashing: number; hashesPerSecond: number }> {
  const requests = reads(`/v1/payments/${paymentId}`, { 'x-api-key': apiKey }, READS);
  const p99 = async () => mustAll(await load(gateway.port, requests, 4), 200, 'reads beside hashes').p99;
  const idle = await p99();
  let over = false;
  let round = 0;
  const started = performance.now();
  const hashes = (async () => {
    while (!over) {
      round += 1;
      mustAll(await load(gateway.port, logins(round, 8), 8), 401, 'logins');
    }
  })();
  const hashing = await p99();
  over = true;
  await hashes;
  return { idle, hashing, hashesPerSecond: (round * 8) / ((performance.now() - started) / 1000) };
}

/** The gateway once more, counting its limits in a Redis of this run. */
export class RedisBeside {
  private constructor(
    readonly server: Server,
    private readonly redis: RedisServer,
  ) {}

  /** undefined where Redis is not installed. */
  static async start(command: string[], environment: Record<string, string>): Promise<RedisBeside | undefined> {
    const redis = await RedisServer.start().catch(() => undefined);
    return redis && new RedisBeside(await startServer(command, { ...environment, REDIS_URL: redis.url }), redis);
  }

  /** The slowest read in milliseconds, with nothing amiss and while Redis freezes in the middle of them; it answers again after that. */
  async measureFreeze({ paymentId, apiKey }: Readers): Promise<{ well: number; frozen: number }> {
    const requests = reads(`/v1/payments/${paymentId}`, { 'x-api-key': apiKey }, READS);
    const slowest = async () => mustAll(await load(this.server.port, requests, CONNECTIONS), 200, 'reads').slowest;
    const well = await slowest();
    const freeze = setTimeout(() => this.redis.freeze(), 500);
    const frozen = await slowest();
    clearTimeout(freeze);
    this.redis.thaw();
    return { well, frozen };
  }

  async stop(): Promise<void> {
    await stopServer(this.server);
    await this.redis.stop();
  }
}
