import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  gone, isRoot, newFolder, nodeForEveryone, query, removeFolders, serverPid, startApplication, type Application,
} from '../../../../test/support/embedded-folders';
import { EmbeddedPostgres, EmbeddedPostgresError, findRunning } from './embedded-postgres';
import { migratedFolder } from '../../../../test/support/migrated-folder';
import { findBinaries, findPackage } from './binaries';
import { asAccount, run } from './processes';
import { chooseAccount } from './system-user';

const servers: EmbeddedPostgres[] = [];
const applications: Application[] = [];
const bystanders: ChildProcess[] = [];
const lines: string[] = [];

async function start(dataDir: string, settings: Record<string, string> = { fsync: 'off' }): Promise<EmbeddedPostgres> {
  const server = await EmbeddedPostgres.start({ dataDir, log: (line) => lines.push(line), settings });
  servers.push(server);
  return server;
}

function application(dataDir: string): Application {
  const started = startApplication(dataDir);
  applications.push(started);
  return started;
}

function serverLog(dataDir: string): string {
  return readFileSync(join(dataDir, 'postgres/server.log'), 'utf8');
}

afterEach(async () => {
  bystanders.splice(0).forEach((bystander) => bystander.kill());
  await Promise.all(applications.splice(0).map((app) => app.end()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  lines.length = 0;
});
afterAll(removeFolders);

describe('an empty folder', () => {
  it('gets a durable UTF-8 database that only the password opens, below a path with spaces and longer than a socket may be', async () => {
    const dataDir = join(newFolder(`a long name with "signs" $HOME ${'x'.repeat(110)}`), 'not', 'there yet');
    const { url, ownedByUs } = await start(dataDir, {});
    const expected = {
      server_encoding: 'UTF8', listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'on', synchronous_commit: 'on',
      max_connections: '100', shared_buffers: '128MB',
    };
    const names = Object.keys(expected).join();
    const settings = await query(url, `select name, current_setting(name) as value from unnest('{${names}}'::text[]) name`);
    expect(Object.fromEntries(settings.map(({ name, value }) => [name, value]))).toEqual(expected);
    expect(await query(url, 'select current_database() as name, datcollate from pg_database where datname = current_database()'))
      .toEqual([{ name: 'cpgateway', datcollate: 'C' }]);
    expect(await query(url, 'select distinct type, auth_method from pg_hba_file_rules order by type'))
      .toEqual([{ type: 'host', auth_method: 'scram-sha-256' }, { type: 'local', auth_method: 'reject' }]);
    expect(ownedByUs).toBe(true);
    await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow('password authentication failed');
    expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
    expect(serverLog(dataDir)).not.toContain(new URL(url).password);
  });
});

describe('a folder with a database', () => {
  it('is ready soon again, with its data, under the same URL, after a clean stop', async () => {
    const dataDir = migratedFolder();
    const first = await start(dataDir);
    await query(first.url, 'create table kept as select 42 as answer');
    const pid = serverPid(join(dataDir, 'postgres'));
    expect(await findRunning(dataDir)).toBe(first.url);
    await Promise.all([first.stop(), first.stop()]);
    await gone(pid);
    expect(serverLog(dataDir)).toContain('database system is shut down');
    expect(await findRunning(dataDir)).toBeUndefined();
    const before = Date.now();
    const second = await start(dataDir);
    expect(Date.now() - before).toBeLessThan(2000);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('opens with a new password when the file with the old one is lost, even while a server is left running', async () => {
    const dataDir = migratedFolder();
    const app = application(dataDir);
    const url = (await app.next()).replace('url ', '');
    await query(url, 'create table kept as select 42 as answer');
    await app.kill('SIGKILL');
    rmSync(join(dataDir, 'postgres.json'));
    const server = await start(dataDir);
    expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('is left alone when it belongs to another major version', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '17\n');
    await expect(start(dataDir)).rejects.toThrow(/holds a database of PostgreSQL 17.*Nothing was changed.*DATABASE_URL/s);
    expect(readdirSync(join(dataDir, 'postgres'))).toEqual(['PG_VERSION']);
  });

  it('is not made where something else is kept', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'postgres/mine'), { recursive: true });
    await expect(start(dataDir)).rejects.toThrow(/not empty and holds no database/);
    expect(existsSync(join(dataDir, 'postgres/mine'))).toBe(true);
  });
});

describe('two applications', () => {
  it('cannot share a folder; the second is told the process id of the first', async () => {
    const dataDir = migratedFolder();
    const first = await start(dataDir);
    const second = application(dataDir);
    const refusal = `Another CPGateway (pid ${process.pid}) already uses this folder: ${dataDir}`;
    expect(await second.next()).toMatch(`refused EmbeddedPostgresError: ${refusal}`);
    await expect(start(dataDir)).rejects.toThrow(EmbeddedPostgresError);
    await first.stop();
    await start(dataDir);
  });
});

describe('after kill -9', () => {
  it('of the application, the next start takes its server over and stops it in the end', async () => {
    const dataDir = migratedFolder();
    const app = application(dataDir);
    const url = (await app.next()).replace('url ', '');
    await app.kill('SIGKILL');
    const pid = serverPid(join(dataDir, 'postgres'));
    const server = await start(dataDir);
    expect([server.url, server.ownedByUs, serverPid(join(dataDir, 'postgres'))]).toEqual([url, true, pid]);
    expect(lines.join()).toContain('is taken over');
    await query(url, 'select 1');
    await server.stop();
    await gone(pid);
  });

  it('of both, and with their process ids given to other processes since, the next start recovers the data', async () => {
    const dataDir = migratedFolder();
    const cluster = join(dataDir, 'postgres');
    const app = application(dataDir);
    const url = (await app.next()).replace('url ', '');
    await query(url, 'create table kept as select 42 as answer');
    // A session that computes does not notice at once that its server is dead, and keeps the next one waiting.
    const declared = `declare until timestamptz := clock_timestamp() + '2 s'`;
    const computing = `do $$ ${declared}; begin while clock_timestamp() < until loop end loop; end $$`;
    const busy = query(url, computing).catch(() => undefined);
    const isBusy = `select 1 from pg_stat_activity where query like 'do %' and state = 'active'`;
    while ((await query(url, isBusy)).length === 0);
    const pid = serverPid(cluster);
    process.kill(pid, 'SIGKILL');
    await app.kill('SIGKILL');
    await gone(pid);
    const account = isRoot ? await chooseAccount('/etc/passwd', undefined) : undefined;
    const other = spawn(nodeForEveryone(), ['-e', 'setInterval(() => undefined, 1000)'], asAccount(account));
    bystanders.push(other);
    await once(other, 'spawn');
    const namespace = readFileSync(join(dataDir, 'postgres.lock'), 'utf8').split(' ')[1];
    const pidFile = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
    writeFileSync(join(cluster, 'postmaster.pid'), pidFile.replace(/^\d+/, String(other.pid)));
    writeFileSync(join(dataDir, 'postgres.lock'), `${other.pid} ${namespace} earlier-boot:1\n`);
    const server = await start(dataDir);
    await busy;
    expect(server.url).toBe(url);
    expect(await query(url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    // As a new container sees what was left by the old one, where we had the same id or the server was process 1.
    for (const stale of [process.pid, process.ppid, 1]) {
      await servers.pop()?.stop();
      writeFileSync(join(cluster, 'postmaster.pid'), pidFile.replace(/^\d+/, String(stale)));
      writeFileSync(join(dataDir, 'postgres.lock'), `${stale} ${namespace} earlier-boot:1\n`);
      expect((await start(dataDir)).url).toBe(url);
    }
  });

  it('while the database is being made, it is made again', async () => {
    const dataDir = newFolder();
    const appeared = new Promise<void>((resolve) => {
      const watcher = watch(dataDir, (_event, name) => {
        if (!name?.startsWith('postgres.initdb-')) return;
        watcher.close();
        resolve();
      });
    });
    const app = application(dataDir);
    await appeared;
    await app.kill('SIGKILL');
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
    const { url } = await start(dataDir);
    await query(url, 'select 1');
  });
});

describe('a server that', () => {
  it('we started does not hear Ctrl-C at the terminal', async () => {
    const app = application(migratedFolder());
    const url = (await app.next()).replace('url ', '');
    process.kill(-app.process.pid!, 'SIGINT');
    expect(await app.next()).toBe('heard SIGINT');
    await query(url, 'select 1');
  });

  it('somebody started by hand is used and left running', async () => {
    const dataDir = migratedFolder();
    const cluster = join(dataDir, 'postgres');
    const { url, stop } = await start(dataDir).then((server) => ({ url: server.url, stop: () => server.stop() }));
    await stop();
    const account = isRoot ? await chooseAccount('/etc/passwd', undefined) : undefined;
    const platform = `${process.platform}-${process.arch}`;
    const { bin } = await findBinaries({ platform, packageFolder: findPackage(platform), copiesFolder: dataDir }, account, () => undefined);
    const pgCtl = (...args: string[]) => run(join(bin, 'pg_ctl'), [...args, '-w', '-D', cluster], account);
    expect((await pgCtl('start', '-l', '/dev/null', '-o', `-p ${new URL(url).port} -k ""`)).code).toBe(0);
    const server = await start(dataDir);
    expect([server.url, server.ownedByUs]).toEqual([url, false]);
    await server.stop();
    await query(url, 'select 1');
    expect((await pgCtl('stop', '-m', 'fast')).code).toBe(0);
  });

  it('finds its port taken moves to another one', async () => {
    const dataDir = migratedFolder();
    const first = await start(dataDir);
    await first.stop();
    const { port } = new URL(first.url);
    const other = createServer().listen(Number(port), '127.0.0.1');
    await once(other, 'listening');
    const second = await start(dataDir);
    other.close();
    expect(new URL(second.url).port).not.toBe(port);
    await query(second.url, 'select 1');
  });
});
