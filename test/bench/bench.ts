import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Pool } from 'pg';
import { runInContext } from '../../src/platform/http/request-context';
import { EmbeddedPostgres } from '../../src/platform/database/embedded/embedded-postgres';
import { migrate } from '../../src/platform/database/migrate';
import type { Credentials } from '../support/merchant';
import { accessOf, makeMerchants } from './merchants';
import { load, mustAll } from './load';
import { creationScript, hasPgbench, pgbench } from './pgbench';
import { confirmations, creations } from './requests';
import { residentMegabytes, type Server, startServer, stopServer } from './servers';
import { measureHashing, measureReads, PEOPLE, RedisBeside } from './shield';
import { makeSessions } from './sessions';

const CONNECTIONS = 32;
const CLIENTS = 8;
const ROUNDS = 3;
const CREATIONS = 12_000;
const EVENTS = 4_000;
const PGBENCH_SECONDS = 5;
const WEBHOOK_SECRET = 'bench-webhook-secret-0123456789';

const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
const spread = (figures: readonly number[]) => `${Math.round(Math.min(...figures))}–${Math.round(Math.max(...figures))}`;
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Sends events and waits until the last of them has been applied. */
async function applyEvents(server: Server, pool: Pool, paymentIds: readonly string[]): Promise<{ acknowledged: number; applied: number }> {
  const requests = confirmations(paymentIds, WEBHOOK_SECRET);
  const started = performance.now();
  const sent = mustAll(await load(server.port, requests, CONNECTIONS), 200, 'webhooks');
  for (;;) {
    const { rows } = await pool.query<{ open: number }>(`select count(*)::int as open from inbox_events where status in ('received', 'failed')`);
    if (rows[0].open === 0) break;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
  return { acknowledged: sent.perSecond, applied: requests.length / ((performance.now() - started) / 1000) };
}

async function main(): Promise<void> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'cpgateway-bench-'));
  // As root the server runs as another user, who must be able to reach its folder.
  await chmod(dataDir, 0o711);
  const postgres = await EmbeddedPostgres.start({ dataDir, log: say });
  const pool = new Pool({ connectionString: postgres.url, max: 2 });
  const servers: Server[] = [];
  try {
    await migrate(postgres.url);
    const environment = {
      NODE_ENV: 'production', DATABASE_URL: postgres.url, DATA_DIR: dataDir, LOG_LEVEL: 'info', PUBLIC_URL: 'https://bench.example',
      ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'bench-token-secret-0123456789abcdef',
      SMTP_URL: 'smtp://mail.bench.example', WEBHOOK_SECRET, TRUSTED_PROXIES: '127.0.0.1/32',
    };
    const merchants = await makeMerchants(environment, postgres.url, CLIENTS);
    const command = ['--max-semi-space-size=8', '--max-old-space-size=1024', 'dist/src/main.js'];
    const gateway = await startServer(command, environment);
    servers.push(gateway);
    const book = JSON.stringify(await accessOf(pool, merchants[0]));
    const bare = await startServer(['-r', '@swc-node/register', 'test/bench/bare-server.ts'], { ...environment, CPG_BENCH_BOOK: book });
    servers.push(bare);
    const tokens = await makeSessions(pool, merchants[0].clientId, environment, PEOPLE);
    await measure({ gateway, bare, startWithRedis: () => RedisBeside.start(command, environment), tokens, merchants, pool, url: postgres.url });
  } finally {
    for (const server of servers) await stopServer(server);
    await pool.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true });
  }
}

interface Bench {
  gateway: Server;
  bare: Server;
  /** Starts the gateway with Redis, where that is installed; only while it is measured, because it would take its share of the jobs. */
  startWithRedis(): Promise<RedisBeside | undefined>;
  tokens: readonly string[];
  merchants: Credentials[];
  pool: Pool;
  url: string;
}

const FIGURES = ['created', 'p99', 'pgbench', 'acknowledged', 'applied', 'bare', 'guarded', 'byToken', 'withRedis', 'slowest', 'slowestFrozen', 'idleP99', 'hashingP99', 'hashes'] as const;
type Figures = Record<(typeof FIGURES)[number], number[]>;

async function measure({ gateway, bare, startWithRedis, tokens, merchants, pool, url }: Bench) {
  const withPgbench = await hasPgbench();
  if (!withPgbench) say('pgbench is not installed (Debian: apt-get install postgresql); its figures and ratios are left out.');
  const script = creationScript(await Promise.all(merchants.map((merchant) => accessOf(pool, merchant))));
  const figures = Object.fromEntries(FIGURES.map((name) => [name, [] as number[]])) as Figures;
  await load(gateway.port, creations(merchants, 2_000), CONNECTIONS);
  for (let round = 1; round <= ROUNDS; round += 1) {
    say(`round ${round} of ${ROUNDS}`);
    const created = mustAll(await load(gateway.port, creations(merchants, CREATIONS), CONNECTIONS), 201, 'creations');
    figures.created.push(created.perSecond);
    figures.p99.push(created.p99);
    if (withPgbench) figures.pgbench.push(await pgbench(url, script, CONNECTIONS, PGBENCH_SECONDS));
    const { rows } = await pool.query<{ id: string }>(
      `select id from payments where status = 'pending' and amount_received_minor = 0 and client_id = any($1) order by random() limit $2`,
      [merchants.map(({ clientId }) => clientId), EVENTS],
    );
    const events = await applyEvents(gateway, pool, rows.map(({ id }) => id));
    figures.acknowledged.push(events.acknowledged);
    figures.applied.push(events.applied);
    const { rows: [mine] } = await pool.query<{ id: string }>('select id from payments where client_id = $1 limit 1', [merchants[0].clientId]);
    const readers = { paymentId: mine.id, apiKey: merchants[0].apiKey, tokens };
    const beside = await startWithRedis();
    if (!beside) say('redis-server is not installed (Debian: apt-get install redis-server); its figures and ratios are left out.');
    const read = await measureReads({ gateway, bare, withRedis: beside?.server }, readers);
    const freeze = await beside?.measureFreeze(readers);
    if (freeze) {
      figures.slowest.push(freeze.well);
      figures.slowestFrozen.push(freeze.frozen);
    }
    await beside?.stop();
    for (const name of ['bare', 'guarded', 'byToken', 'withRedis'] as const) if (read[name]) figures[name].push(read[name]);
    const hashing = await measureHashing(gateway, readers);
    figures.idleP99.push(hashing.idle);
    figures.hashingP99.push(hashing.hashing);
    figures.hashes.push(hashing.hashesPerSecond);
    // A person's allowance is for a minute; the next round shall have it whole.
    if (round < ROUNDS) await new Promise((resolve) => void setTimeout(resolve, 60_000));
  }
  report(figures, withPgbench, await residentMegabytes(gateway));
}

function report(figures: Figures, withPgbench: boolean, megabytes: number): void {
  const line = (name: string, values: number[], unit = '/s') => say(`${name.padEnd(52)} ${String(Math.round(median(values))).padStart(7)}${unit}  (${spread(values)})`);
  const ratios = (a: number[], b: number[]) => a.map((value, at) => value / b[at]);
  const ratio = (name: string, values: number[], bound: number) =>
    say(`${name.padEnd(52)} ${median(values).toFixed(2).padStart(7)}    (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}; bound ${bound.toFixed(2)})`);
  say(`\nmedian of ${ROUNDS} rounds (smallest–largest), ${CONNECTIONS} connections, ${CLIENTS} clients`);
  line('payments created, everything on', figures.created);
  line('  p99', figures.p99, ' ms');
  if (withPgbench) {
    line('pgbench, the same SQL function, prepared', figures.pgbench);
    ratio('created ÷ pgbench', ratios(figures.created, figures.pgbench), 0.4);
  }
  line('webhooks acknowledged', figures.acknowledged);
  line('webhooks applied, from the first sent to the last', figures.applied);
  line('GET payment, bare handler', figures.bare);
  line('GET payment, guarded', figures.guarded);
  ratio('guarded ÷ bare', ratios(figures.guarded, figures.bare), 0.7);
  line('GET payment, guarded, by access token', figures.byToken);
  ratio('by token ÷ bare', ratios(figures.byToken, figures.bare), 0.7);
  if (figures.withRedis.length > 0) {
    line('GET payment, guarded, limits in Redis', figures.withRedis);
    ratio('with Redis ÷ bare', ratios(figures.withRedis, figures.bare), 0.55);
    line('slowest read, limits in Redis', figures.slowest, ' ms');
    line('slowest read while Redis freezes (bound 100 more)', figures.slowestFrozen, ' ms');
  }
  line('p99 of reads, four connections', figures.idleP99, ' ms');
  line('p99 of reads while passwords are hashed', figures.hashingP99, ' ms');
  line('  passwords hashed meanwhile', figures.hashes);
  ratio('p99 hashing ÷ idle (must stay below)', ratios(figures.hashingP99, figures.idleP99), 2);
  say(`${'resident memory of the gateway after it'.padEnd(52)} ${String(megabytes).padStart(7)} MB  (bound 250)`);
}

void runInContext({ requestId: 'bench', startedAt: 0 }, main);
