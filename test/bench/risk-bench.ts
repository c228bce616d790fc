import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Pool } from 'pg';
import { EmbeddedPostgres } from '../../src/platform/database/embedded/embedded-postgres';
import { migrate } from '../../src/platform/database/migrate';
import { runInContext } from '../../src/platform/http/request-context';
import type { Credentials } from '../support/merchant';
import { load, mustAll } from './load';
import { makeMerchants } from './merchants';
import { fillPast } from './past';
import { creations } from './requests';
import { type Server, startServer, stopServer } from './servers';

/** What an assessment costs, and whether the past makes it dearer: `npm run bench:risk -- [past payments] [creations a round]`, by default 10,000,000 and 600. */
const PAST = Number(process.argv[2] ?? 10_000_000);
const CONNECTIONS = 32;
const CLIENTS = 8;
/** Servers of the same code differ by a tenth for as long as they live, by what their first requests made of them; so there are several pairs. */
const PAIRS = 5;
/** Many short ones of each: a machine that others use changes its speed within seconds, and only what stands close together can be compared. */
const ROUNDS = 6;
const CREATIONS = Number(process.argv[3] ?? 600);
const WARM = 2_000;
const COMMAND = ['--max-semi-space-size=8', '--max-old-space-size=1024', 'dist/src/main.js'];
const MOST_COST = 1.15;
const LEAST_RATIO = 0.9;

const say = (line: string) => process.stdout.write(`${line}\n`);
const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)]!;
let served = 0;

/** A payer for each payment: customers and addresses come back now and then, as they do in a shop. */
function payerOf(): object {
  served += 1;
  const [customer, host] = [served * 7919 % 1_048_576, served * 104_729 % 1_048_576];
  const ip = `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
  return { customer: `customer-${customer}`, payer: { ip, email: `c${customer}@mail${served & 1023}.example` } };
}

const ENABLED = { on: 'true', off: 'false' } as const;
type Name = keyof typeof ENABLED;
type Figures = Record<Name | 'cost', number[]>;

/** Payments a second with fraud detection and without, round by round: each round's two runs stand beside each other. */
async function measure(environment: Record<string, string>, merchants: readonly Credentials[]): Promise<Figures> {
  const figures: Figures = { on: [], off: [], cost: [] };
  for (let pair = 0; pair < PAIRS; pair += 1) await measurePair(environment, merchants, figures, pair % 2 === 0 ? ['on', 'off'] : ['off', 'on']);
  return figures;
}

/** Adds the figures of two new servers, started in that order. */
async function measurePair(environment: Record<string, string>, merchants: readonly Credentials[], figures: Figures, names: readonly Name[]): Promise<void> {
  const servers = {} as Record<Name, Server>;
  const run = async (name: Name, count: number) =>
    mustAll(await load(servers[name].port, creations(merchants, count, payerOf), CONNECTIONS), 201, 'creations').perSecond;
  try {
    for (const name of names) servers[name] = await startServer(COMMAND, { ...environment, FRAUD_DETECTION_ENABLED: ENABLED[name] });
    for (const name of names) await run(name, WARM);
    for (let round = 0; round < ROUNDS; round += 1) {
      const perSecond = {} as Record<Name, number>;
      // Whoever comes second meets warmer caches; so they take turns at it.
      for (const name of round % 2 === 0 ? names : names.toReversed()) perSecond[name] = await run(name, CREATIONS);
      figures.on.push(perSecond.on);
      figures.off.push(perSecond.off);
      figures.cost.push(perSecond.off / perSecond.on);
    }
  } finally {
    for (const server of Object.values(servers)) await stopServer(server);
  }
}

function show(what: string, { on, off, cost }: Figures): void {
  const spread = (values: readonly number[], digits = 0) => `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
  say(`${what}: ${median(on).toFixed(0)}/s scored (${spread(on)}), ${median(off).toFixed(0)}/s not scored (${spread(off)})`);
  say(`  cost of a creation, scored ÷ not scored: ${median(cost).toFixed(2)} (${spread(cost, 2)}; bound ${MOST_COST})`);
}

async function main(): Promise<void> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'cpgateway-bench-'));
  // As root the server runs as another user, who must be able to reach its folder.
  await chmod(dataDir, 0o711);
  const postgres = await EmbeddedPostgres.start({ dataDir, log: say });
  const pool = new Pool({ connectionString: postgres.url, max: 2 });
  try {
    await migrate(postgres.url);
    const environment = {
      NODE_ENV: 'production', DATABASE_URL: postgres.url, DATA_DIR: dataDir, LOG_LEVEL: 'info', PUBLIC_URL: 'https://bench.example',
      ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'bench-token-secret-0123456789abcdef',
      SMTP_URL: 'smtp://mail.bench.example', TRUSTED_PROXIES: '127.0.0.1/32',
    };
    const merchants = await makeMerchants(environment, postgres.url, CLIENTS);
    say(`${PAIRS} pairs of servers, ${ROUNDS} rounds of ${CREATIONS} creations each, ${CONNECTIONS} connections, ${CLIENTS} clients; medians (smallest–largest)`);
    const none = await measure(environment, merchants);
    show('no past payments', none);
    say(`making ${PAST.toLocaleString('en')} past payments`);
    await fillPast(pool, merchants.map(({ clientId }) => clientId), PAST, say);
    const many = await measure(environment, merchants);
    show(`${PAST.toLocaleString('en')} past payments`, many);
    const ratio = median(many.on) / median(none.on);
    say(`scored, many ÷ none: ${ratio.toFixed(2)} (bound ${LEAST_RATIO})`);
    say(`cost, many ÷ none: ${(median(many.cost) / median(none.cost)).toFixed(2)}`);
  } finally {
    await pool.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true });
  }
}

void runInContext({ requestId: 'bench', startedAt: 0 }, main);
