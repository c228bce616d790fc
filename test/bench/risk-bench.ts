import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
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

/**
 * What an assessment costs, and whether the past makes it dearer: `npm run bench:risk -- [past payments] [creations a round]`, by default
 * 10,000,000 and 300. There are two databases, one of them with the past, and for each a server that scores and one that does not.
 */
const PAST = Number(process.argv[2] ?? 10_000_000);
const CONNECTIONS = 32;
const CLIENTS = 8;
/** Servers of the same code differ by a tenth for as long as they live, by what their first requests made of them; so there are several sets. */
const SETS = 5;
/** Many short ones of each: a machine that others use changes its speed within seconds, and only what stands close together can be compared. */
const ROUNDS = 12;
const CREATIONS = Number(process.argv[3] ?? 300);
/** What a server still writes of its last assessments must not fall into the time of the next one. */
const PAUSE_MS = 150;
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

const ENABLED = { scored: 'true', unscored: 'false' } as const;
type Kind = keyof typeof ENABLED;
type Database = 'none' | 'many';
/** A server by its database and by whether it scores. */
const NAMES = ['none scored', 'none unscored', 'many scored', 'many unscored'] as const;
type Name = (typeof NAMES)[number];
/** Creations a second, or a ratio of two such. */
type Figures<Key extends string> = Record<Key, number[]>;

interface Books {
  environment: Record<string, string>;
  merchants: readonly Credentials[];
}

/** Payments a second of each server, round by round: the four runs of a round stand beside each other. */
async function measure(books: Record<Database, Books>): Promise<Figures<Name>> {
  const figures: Figures<Name> = { 'none scored': [], 'none unscored': [], 'many scored': [], 'many unscored': [] };
  for (let set = 0; set < SETS; set += 1) await measureSet(books, figures, turned(NAMES, set));
  return figures;
}

/** Adds the figures of four new servers, started in that order. */
async function measureSet(books: Record<Database, Books>, figures: Figures<Name>, names: readonly Name[]): Promise<void> {
  const servers = new Map<Name, Server>();
  const bookOf = (name: Name) => books[name.split(' ')[0] as Database];
  const run = async (name: Name, count: number) =>
    mustAll(await load(servers.get(name)!.port, creations(bookOf(name).merchants, count, payerOf), CONNECTIONS), 201, 'creations').perSecond;
  try {
    for (const name of names) {
      const FRAUD_DETECTION_ENABLED = ENABLED[name.split(' ')[1] as Kind];
      servers.set(name, await startServer(COMMAND, { ...bookOf(name).environment, FRAUD_DETECTION_ENABLED }));
    }
    for (const name of names) await run(name, WARM);
    for (let round = 0; round < ROUNDS; round += 1) {
      // Whoever comes later meets warmer caches; so they take turns at it.
      for (const name of turned(names, round)) {
        figures[name].push(await run(name, CREATIONS));
        await setTimeout(PAUSE_MS);
      }
    }
  } finally {
    for (const server of servers.values()) await stopServer(server);
  }
}

/** The same in a circle, beginning further on; every second time the other way round. */
function turned<T>(values: readonly T[], by: number): T[] {
  const from = by % values.length;
  const circle = [...values.slice(from), ...values.slice(0, from)];
  return by % 2 === 0 ? circle : circle.toReversed();
}

/** Median (smallest–largest). */
function spread(values: readonly number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
}

function show(figures: Figures<Name>): void {
  const ratio = (of: readonly number[], to: readonly number[]) => of.map((figure, round) => figure / to[round]!);
  for (const name of NAMES) say(`${name}: ${spread(figures[name], 0)}/s`);
  const cost = (database: Database) => ratio(figures[`${database} unscored`], figures[`${database} scored`]);
  for (const database of ['none', 'many'] as const) say(`cost of a creation with ${database}, scored ÷ not scored: ${spread(cost(database), 2)}, bound ${MOST_COST}`);
  say(`creations a second, many ÷ none: scored ${spread(ratio(figures['many scored'], figures['none scored']), 2)}, bound ${LEAST_RATIO}; `
    + `not scored ${spread(ratio(figures['many unscored'], figures['none unscored']), 2)}`);
  say(`cost of an assessment, none ÷ many: ${spread(ratio(cost('none'), cost('many')), 2)}, bound ${LEAST_RATIO}`);
}

async function main(): Promise<void> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'cpgateway-bench-'));
  // As root the server runs as another user, who must be able to reach its folder.
  await chmod(dataDir, 0o711);
  const postgres = await EmbeddedPostgres.start({ dataDir, log: say });
  try {
    const environment = {
      NODE_ENV: 'production', DATA_DIR: dataDir, LOG_LEVEL: 'info', PUBLIC_URL: 'https://bench.example',
      ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'bench-token-secret-0123456789abcdef',
      SMTP_URL: 'smtp://mail.bench.example', TRUSTED_PROXIES: '127.0.0.1/32',
    };
    const none = await booksIn(postgres.url, environment);
    const many = await booksIn(await anotherDatabase(postgres.url), environment);
    say(`making ${PAST.toLocaleString('en')} past payments in one of two databases`);
    const pool = new Pool({ connectionString: many.environment.DATABASE_URL, max: 1 });
    await fillPast(pool, many.merchants.map(({ clientId }) => clientId), PAST, say).finally(() => pool.end());
    say(`${SETS} times four new servers, ${ROUNDS} rounds of ${CREATIONS} creations with each, ${CONNECTIONS} connections, ${CLIENTS} clients; medians (smallest–largest)`);
    show(await measure({ none, many }));
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true });
  }
}

/** Merchants in a database that is brought to this version. */
async function booksIn(url: string, common: Record<string, string>): Promise<Books> {
  await migrate(url);
  const environment = { ...common, DATABASE_URL: url };
  return { environment, merchants: await makeMerchants(environment, url, CLIENTS) };
}

async function anotherDatabase(url: string): Promise<string> {
  const pool = new Pool({ connectionString: url, max: 1 });
  await pool.query('create database past').finally(() => pool.end());
  return Object.assign(new URL(url), { pathname: '/past' }).toString();
}

void runInContext({ requestId: 'bench', startedAt: 0 }, main);
