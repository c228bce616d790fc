import { spawnSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres, findRunning } from '../src/platform/database/embedded/embedded-postgres';
import { built } from './support/built';
import { gone, newFolder, query, removeFolders, serverPid } from './support/embedded-folders';
import { TEST_SECRETS } from './support/gateway';
import { Merchant } from './support/merchant';
import { migratedFolder } from './support/migrated-folder';
import { type Ended, endPrograms, Program, runProgram } from './support/programs';

const order = { amount: '25.00', currency: 'USD', method: 'card' };
const databases: string[] = [];

/** A server with the embedded database in that folder. */
function server(dataDir: string, environment: Record<string, string> = {}): Promise<Program> {
  return Program.start('main', { DATA_DIR: dataDir, PORT: '0', ...environment });
}

function keysIn(text: string): { clientId: string; keyId: string; apiKey: string; signingSecret: string } {
  const field = (name: string) => new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(text)?.[1] ?? '';
  return { clientId: field('client_id'), keyId: field('key_id'), apiKey: field('api_key'), signingSecret: field('signing_secret') };
}

/** An empty database on the server of the test run. */
async function emptyDatabase(): Promise<string> {
  const name = `startup_${randomBytes(6).toString('hex')}`;
  await query(onServer('postgres'), `create database ${name} template template0`);
  databases.push(name);
  return onServer(name);
}

function onServer(name: string): string {
  const url = new URL(process.env.CPG_TEST_SERVER_URL!);
  url.pathname = `/${name}`;
  return url.toString();
}

beforeAll(() => built(), 240_000);
afterAll(async () => {
  await endPrograms();
  for (const name of databases) await query(onServer('postgres'), `drop database ${name} with (force)`);
  removeFolders();
});

describe('a start without settings', () => {
  it('makes the database and shows a demo merchant\'s keys once; later starts keep everything, also after kill -9', async () => {
    const dataDir = newFolder();
    const first = await server(dataDir);
    const url = await first.url();
    const keys = keysIn(first.stdout);
    const created = await new Merchant(url, keys).post('/v1/payments', order);
    expect(created.status).toBe(201);
    for (const page of ['/docs', '/openapi.json', '/health/ready']) {
      expect(first.stdout).toContain(url + page);
      expect((await fetch(url + page)).status).toBe(200);
    }
    const pid = serverPid(join(dataDir, 'postgres'));
    expect(await first.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    await gone(pid);

    const second = await server(dataDir);
    const kept = await new Merchant(await second.url(), keys).get(`/v1/payments/${created.body.id}`);
    expect(kept.body).toEqual(created.body);
    expect(second.stdout).not.toMatch(/cpg_test_|signing_secret/);
    await second.kill('SIGKILL');

    const third = await server(dataDir);
    expect((await new Merchant(await third.url(), keys).get(`/v1/payments/${created.body.id}`)).body).toEqual(created.body);
    const left = serverPid(join(dataDir, 'postgres'));
    expect((await third.kill('SIGINT')).code).toBe(0);
    await gone(left);
  });

  it('by npm ends with npm, and leaves no server behind', async () => {
    const dataDir = migratedFolder();
    const npm = await Program.npmStart({ DATA_DIR: dataDir, PORT: '0' });
    const url = await npm.url();
    expect(await npm.kill('SIGTERM')).toMatchObject({ code: 0 });
    await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
    expect(await findRunning(dataDir)).toBeUndefined();
  });

  it('on a port that is in use ends with one sentence, and its database is stopped', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const dataDir = migratedFolder();
    const ended = await runProgram('main', { DATA_DIR: dataDir, PORT: String(port) });
    other.close();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toBe(
      `CPGateway has not started. Port ${port} on 127.0.0.1 is in use by another program. Stop that one, or set PORT to a free port.\n`,
    );
    expect(await findRunning(dataDir)).toBeUndefined();
  });
});

describe('wrong settings', () => {
  it('are named all at once, with exit code 78, before anything is started', async () => {
    const wrong = { PORT: '70000', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://secret@db/pay', TRUSTED_PROXIES: '10.0.0.0/99' };
    const ended = await runProgram('main', { DATA_DIR: newFolder(), ...wrong });
    expect(ended).toMatchObject({ code: 78, stdout: '' });
    for (const name of Object.keys(wrong)) expect(ended.stderr).toContain(`  ${name}: `);
    expect(ended.stderr).not.toContain('secret@');
  });

  it('include missing keys in production, for which there is no default', async () => {
    const dataDir = newFolder();
    const ended = await runProgram('main', { NODE_ENV: 'production', PUBLIC_URL: 'https://pay.example', DATA_DIR: dataDir });
    expect(ended).toMatchObject({ code: 78, stdout: '', stderr: expect.stringContaining('  ENCRYPTION_MASTER_KEY: is missing') });
    for (const name of ['JWT_SECRET_KEY', 'SMTP_URL']) expect(ended.stderr).toContain(`  ${name}: is missing`);
  });
});

describe('a database of the operator\'s own', () => {
  it('is migrated once by two servers that start on it together, and gets one demo merchant', async () => {
    const url = await emptyDatabase();
    const environment = { DATABASE_URL: url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, JWT_SECRET_KEY: TEST_SECRETS.jwt };
    const both = await Promise.all([1, 2].map(() => server(newFolder(), environment)));
    await Promise.all(both.map((program) => program.url()));
    expect(both.filter(({ stdout }) => keysIn(stdout).apiKey !== '')).toHaveLength(1);
    expect(await query(url, 'select name from schema_migrations group by name having count(*) > 1')).toEqual([]);
    expect(await query(url, 'select count(*)::int as count from clients')).toEqual([{ count: 1 }]);
    const applied = both.flatMap(({ stdout }) => stdout.match(/"Clients\d+"/g) ?? []);
    expect(applied).toHaveLength(1);
    await Promise.all(both.map((program) => program.kill('SIGTERM')));
  });

  it('in production: only log lines, no keys, and no client is made', async () => {
    const url = await emptyDatabase();
    const environment = {
      NODE_ENV: 'production', PORT: '0', PUBLIC_URL: 'https://pay.example',
      DATABASE_URL: url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, JWT_SECRET_KEY: TEST_SECRETS.jwt, SMTP_URL: 'smtp://mail.example',
    };
    const program = await Program.start('main', environment);
    await program.says(/"msg":"ready"/);
    const { code, stdout } = await program.kill('SIGTERM');
    expect(code).toBe(0);
    for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
    expect(stdout).not.toMatch(/cpg_(test|live)_/);
    expect(await query(url, 'select count(*)::int as count from clients')).toEqual([{ count: 0 }]);
  });

  it('that does not answer is named without its password', async () => {
    const ended = await runProgram('main', { DATA_DIR: newFolder(), PORT: '0', DATABASE_URL: 'postgres://pay:hidden@127.0.0.1:1/pay' });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('The database pay at 127.0.0.1:1 cannot be used') });
    expect(ended.stderr).not.toContain('hidden');
  });
});

describe('a server on a folder', () => {
  let dataDir: string;
  let keys: ReturnType<typeof keysIn>;
  let program: Program | undefined;

  beforeAll(() => {
    dataDir = migratedFolder();
  });

  /** The one that an earlier test has left running, or a new one. */
  const running = async (): Promise<Program> => {
    const isFirst = !keys;
    program ??= await server(dataDir);
    await program.url();
    if (isFirst) keys = keysIn(program.stdout);
    return program;
  };
  const ended = async (): Promise<Ended> => {
    const end = await program!.ended;
    program = undefined;
    return end;
  };
  const create = (url: string) => new Merchant(url, keys).post('/v1/payments', order, { idempotencyKey: randomUUID() });

  /** The server with a payment that is being created and waits for a lock. */
  async function busyServer() {
    const busy = await running();
    const url = await busy.url();
    const database = (await findRunning(dataDir))!;
    const locker = new Client({ connectionString: database });
    // Ends with the server when the test lets it.
    locker.on('error', () => undefined);
    await locker.connect();
    await locker.query('begin; lock table provider_references in access exclusive mode');
    const answer = create(url);
    const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%create_payment%'`;
    while ((await query(database, waiting)).length === 0);
    return { busy, url, locker, answer };
  }

  it('goes on when another one is started there, which is refused', async () => {
    const url = await (await running()).url();
    const second = await runProgram('main', { DATA_DIR: dataDir, PORT: '0' });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^CPGateway has not started\. Another CPGateway \(pid \d+\) already uses/);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('ends with 1 when its database is killed, and the next start recovers what was committed', async () => {
    const { body: { id } } = await create(await (await running()).url());
    process.kill(serverPid(join(dataDir, 'postgres')), 'SIGKILL');
    expect(await ended()).toMatchObject({ code: 1, stdout: expect.stringContaining('the embedded PostgreSQL has ended by itself') });
    const next = await running();
    expect((await new Merchant(await next.url(), keys).get(`/v1/payments/${id as string}`)).status).toBe(200);
  });

  it('lets a request finish that a signal meets, takes no new ones, then ends with 0', async () => {
    const { busy, url, locker, answer } = await busyServer();
    busy.child.kill('SIGTERM');
    await busy.says('stopping');
    const later = await fetch(`${url}/health/ready`).then(({ status }) => status, () => 'refused');
    expect([503, 'refused']).toContain(later);
    await locker.query('rollback');
    expect((await answer).status).toBe(201);
    await locker.end();
    expect((await ended()).code).toBe(0);
  });

  it('ends at once when the signal comes again', async () => {
    const { busy, locker, answer } = await busyServer();
    const cut = answer.catch(() => 'cut off');
    const again = setInterval(() => busy.child.kill('SIGTERM'), 50);
    const { code } = await ended();
    clearInterval(again);
    expect(code).toBe(143);
    expect(await cut).toBe('cut off');
    await locker.end();
    // There was no time to stop the database: the next start takes it over.
    await (await EmbeddedPostgres.start({ dataDir, log: () => undefined })).stop();
  });
});

describe('an error that nobody caught', () => {
  it('is logged, then everything is closed, and the exit code is 1', async () => {
    const script = `
      const { Lifetime } = require(process.argv[1] + '/lifetime.js');
      const log = { info: console.log, error: console.log, fatal: ({ err }, message) => console.log(message + ': ' + err.message) };
      void new Lifetime(log).begin(Promise.resolve('part'), async (part) => console.log('closed ' + part));
      setImmediate(() => { throw new Error('boom'); });
    `;
    const { status, stdout } = spawnSync(process.execPath, ['-e', script, await built()], { encoding: 'utf8' });
    expect(stdout).toMatch(/^an error was not caught: boom\nclosed part\n/);
    expect(status).toBe(1);
  });
});
