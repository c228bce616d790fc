import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Pool } from 'pg';
import { runInContext } from '../../src/platform/http/request-context';
import { EmbeddedPostgres } from '../../src/platform/database/embedded/embedded-postgres';
import { migrate } from '../../src/platform/database/migrate';
import type { Credentials } from '../support/merchant';
import { accessOf, makeMerchants } from './merchants';
import { load, type LoadResult } from './load';
import { creationScript, hasPgbench, pgbench } from './pgbench';
import { confirmations, creations, reads } from './requests';

const CONNECTIONS = 32;
const CLIENTS = 8;
const ROUNDS = 3;
const CREATIONS = 12_000;
const EVENTS = 4_000;
const READS = 15_000;
const PGBENCH_SECONDS = 5;
const WEBHOOK_SECRET = 'bench-webhook-secret-0123456789';
const root = path.resolve(__dirname, '../..');

interface Server {
  process: ChildProcess;
  port: number;
}

const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
const spread = (figures: readonly number[]) => `${Math.round(Math.min(...figures))}–${Math.round(Math.max(...figures))}`;
const say = (line: string) => process.stdout.write(`${line}\n`);

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

async function startServer(command: string[], environment: Record<string, string>): Promise<Server> {
  const port = await freePort();
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let tries = 0; tries < 300; tries += 1) {
    const answers = await fetch(`http://127.0.0.1:${port}/health/live`).then(() => true, () => false);
    if (answers) return { process: child, port };
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
  throw new Error('The server did not start.');
}

async function stopServer({ process: child }: Server): Promise<void> {
  const ended = new Promise((resolve) => void child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function residentMegabytes({ process: child }: Server): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024);
}

function mustAll(result: LoadResult, status: number, what: string): LoadResult {
  if (result.statuses[status] !== result.requests) throw new Error(`${what}: expected only ${status}, got ${JSON.stringify(result.statuses)}`);
  return result;
}

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

async function measureReads(guarded: Server, bare: Server, merchant: Credentials, id: string) {
  const one = async (server: Server, address: string, headers: Record<string, string>) =>
    mustAll(await load(server.port, reads(address, headers, READS), CONNECTIONS), 200, address).perSecond;
  return {
    bare: await one(bare, `/bare/${id}`, {}),
    guarded: await one(guarded, `/v1/payments/${id}`, { 'x-api-key': merchant.apiKey }),
  };
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
      ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), WEBHOOK_SECRET, TRUSTED_PROXIES: '127.0.0.1/32',
    };
    const merchants = await makeMerchants(environment, postgres.url, CLIENTS);
    const gateway = await startServer(['--max-semi-space-size=8', '--max-old-space-size=1024', 'dist/src/main.js'], environment);
    servers.push(gateway);
    const book = JSON.stringify(await accessOf(pool, merchants[0]));
    const bare = await startServer(['-r', '@swc-node/register', 'test/bench/bare-server.ts'], { ...environment, CPG_BENCH_BOOK: book });
    servers.push(bare);
    await measure({ gateway, bare, merchants, pool, url: postgres.url });
  } finally {
    for (const server of servers) await stopServer(server);
    await pool.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function measure({ gateway, bare, merchants, pool, url }: { gateway: Server; bare: Server; merchants: Credentials[]; pool: Pool; url: string }) {
  const withPgbench = await hasPgbench();
  if (!withPgbench) say('pgbench is not installed (Debian: apt-get install postgresql); its figures and ratios are left out.');
  const script = creationScript(await Promise.all(merchants.map((merchant) => accessOf(pool, merchant))));
  const figures = { created: [] as number[], p99: [] as number[], pgbench: [] as number[], acknowledged: [] as number[], applied: [] as number[], guarded: [] as number[], bare: [] as number[] };
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
    const read = await measureReads(gateway, bare, merchants[0], mine.id);
    figures.guarded.push(read.guarded);
    figures.bare.push(read.bare);
  }
  report(figures, withPgbench, await residentMegabytes(gateway));
}

function report(figures: Record<'created' | 'p99' | 'pgbench' | 'acknowledged' | 'applied' | 'guarded' | 'bare', number[]>, withPgbench: boolean, megabytes: number): void {
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
  say(`${'resident memory of the gateway after it'.padEnd(52)} ${String(megabytes).padStart(7)} MB  (bound 250)`);
}

void runInContext({ requestId: 'bench', startedAt: 0 }, main);
