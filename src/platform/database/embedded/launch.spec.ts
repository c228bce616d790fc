import { spawnSync } from 'node:child_process';
import {
  chmodSync, chownSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isRoot, newFolder, query, removeFolders, startApplication, type Application } from '../../../../test/support/embedded-folders';
import { migratedFolder } from '../../../../test/support/migrated-folder';
import { EmbeddedPostgresError, findRunning } from './embedded-postgres';
import { launch, thisMachine, type Machine, type Running } from './launch';
import type { Account } from './processes';
import { stopServer } from './server';
import { chooseAccount } from './system-user';

// Each case belongs to one kind of user; a run as the other kind does not have it.
const notHere = () => undefined;
const asRoot = isRoot ? it : notHere;
const asPlainUser = isRoot ? notHere : it;
const running: Running[] = [];
const applications: Application[] = [];
const lines: string[] = [];

async function start(dataDir: string, machine: Partial<Machine> = {}): Promise<Running> {
  const own = { sharedFolder: join(newFolder(), 'shared') };
  const options = { dataDir, log: (line: string) => lines.push(line), settings: { fsync: 'off' } };
  const server = await launch(options, { ...thisMachine(), ...own, ...machine });
  running.push(server);
  return server;
}

function application(dataDir: string, user: Account): Application {
  const started = startApplication(dataDir, user);
  applications.push(started);
  return started;
}

async function stopAll(): Promise<void> {
  for (const { cluster, lock } of running.splice(0)) {
    await stopServer(cluster);
    lock.release();
  }
}

/** A copy of the installed package, which a test may spoil. */
function copiedPackage(mode: number): string {
  const copy = join(newFolder('', mode), 'package');
  cpSync(thisMachine().packageFolder!, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** A list of accounts with `nobody` alone, as on a machine without PostgreSQL. */
function passwdWithNobodyOnly(): string {
  const path = join(newFolder(), 'passwd');
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  writeFileSync(path, entries.filter((line) => /^(root|nobody):/.test(line)).join('\n'));
  return path;
}

afterEach(async () => {
  await Promise.all(applications.splice(0).map((app) => app.end()));
  await stopAll();
  lines.length = 0;
});
afterAll(removeFolders);

describe('the programs', () => {
  it('that this machine does not have are named, with the way out', async () => {
    const machine = { platform: 'sunos-sparc', packageFolder: undefined };
    await expect(start(newFolder(), machine)).rejects.toThrow(/\(sunos-sparc\).*DATABASE_URL/s);
  });

  it('that cannot be executed here are named, with the way out', async () => {
    const packageFolder = copiedPackage(0o755);
    writeFileSync(join(packageFolder, 'native/bin/initdb'), '#!/no/such/interpreter\n');
    await expect(start(newFolder(), { packageFolder })).rejects.toThrow(/does not run on this machine.*ENOENT.*DATABASE_URL/s);
  });

  it('get the links between their libraries when npm has not run the install script', async () => {
    const packageFolder = copiedPackage(0o755);
    const lib = join(packageFolder, 'native/lib');
    const list = JSON.parse(readFileSync(join(packageFolder, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
    list.forEach(({ target }) => rmSync(join(packageFolder, target), { force: true }));
    const before = readdirSync(lib).length;
    const { url } = await start(newFolder(), { packageFolder });
    await query(url, 'select 1');
    expect(readdirSync(lib).length).toBe(before + list.length);
  });

  asRoot('(as root) are copied once to where the user of the server can read them', async () => {
    const sharedFolder = join(newFolder(), 'shared');
    const packageFolder = copiedPackage(0o700);
    const dataDir = newFolder();
    await query((await start(dataDir, { packageFolder, sharedFolder })).url, 'select 1');
    const tellsOfCopy = () => lines.filter((line) => line.includes(`copied to ${sharedFolder}/postgresql-`)).length;
    expect(tellsOfCopy()).toBe(1);
    const [copy = ''] = readdirSync(sharedFolder);
    const made = statSync(join(sharedFolder, copy)).ctimeMs;
    await stopAll();
    await query((await start(dataDir, { packageFolder, sharedFolder })).url, 'select 1');
    expect([readdirSync(sharedFolder), tellsOfCopy()]).toEqual([[copy], 1]);
    expect(statSync(join(sharedFolder, copy)).ctimeMs).toBe(made);
  });
});

describe('the user', () => {
  asRoot('(as root) of the server is not root, and owns nothing but the database', async () => {
    const dataDir = newFolder();
    await start(dataDir);
    const { uid } = await chooseAccount('/etc/passwd', undefined);
    expect([statSync(join(dataDir, 'postgres')).uid, statSync(join(dataDir, 'postgres/server.log')).uid]).toEqual([uid, uid]);
    expect([statSync(dataDir).uid, statSync(join(dataDir, 'postgres.json')).uid]).toEqual([0, 0]);
  });

  asRoot('(as root, without a user postgres) is nobody, and stays nobody when a user postgres comes', async () => {
    const dataDir = newFolder();
    const passwdFile = passwdWithNobodyOnly();
    const first = await start(dataDir, { passwdFile });
    expect(first.cluster.account?.name).toBe('nobody');
    await query(first.url, 'select 1');
    await stopAll();
    expect((await start(dataDir)).cluster.account?.name).toBe('nobody');
  });

  asRoot('(as root) gets a database back that was restored as root', async () => {
    const dataDir = migratedFolder();
    await start(dataDir);
    await stopAll();
    expect(spawnSync('chown', ['-R', '0:0', join(dataDir, 'postgres')]).status).toBe(0);
    await query((await start(dataDir)).url, 'select 1');
  });

  asRoot('(as root) must be in the list of accounts', async () => {
    const passwdFile = join(newFolder(), 'passwd');
    writeFileSync(passwdFile, 'root:x:0:0:root:/root:/bin/sh\n');
    await expect(start(newFolder(), { passwdFile })).rejects.toThrow(/must not run as root.*Create a user "postgres".*DATABASE_URL/s);
  });

  asRoot('(as root, for another user) may be a plain one, and stays so when root starts it once', async () => {
    const nobody = await chooseAccount(passwdWithNobodyOnly(), undefined);
    const dataDir = newFolder();
    chownSync(dataDir, nobody.uid, nobody.gid);
    const app = application(dataDir, nobody);
    const url = (await app.next()).replace('url ', '');
    await query(url, 'select 1');
    expect(await findRunning(dataDir)).toBe(url);
    const owners = readdirSync(dataDir).map((name) => [name, statSync(join(dataDir, name)).uid]);
    expect(owners).toEqual(['postgres', 'postgres.json', 'postgres.lock'].map((name) => [name, nobody.uid]));
    await app.end();
    expect(await findRunning(dataDir)).toBeUndefined();
    expect((await start(dataDir)).url).toBe(url);
    await stopAll();
    const again = application(dataDir, nobody);
    expect(await again.next()).toBe(`url ${url}`);
  });

  asRoot('(as root, for another user) may be a plain one, which is refused a folder that it may not write', async () => {
    const refused = application(newFolder('', 0o755), await chooseAccount(passwdWithNobodyOnly(), undefined));
    expect(await refused.next()).toMatch(/^refused EmbeddedPostgresError.*cannot keep its database.*DATABASE_URL/);
  });
});

describe('a data folder', () => {
  it('that is none is named, with the way out', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    await expect(start(join(file, 'data'))).rejects.toThrow(EmbeddedPostgresError);
    await expect(start(join(file, 'data'))).rejects.toThrow(/cannot keep its database in .*DATABASE_URL/);
  });

  asPlainUser('(as a plain user) that may not be written is named, with the way out', async () => {
    await expect(start(newFolder('', 0o555))).rejects.toThrow(/cannot keep its database in .*DATABASE_URL/);
  });

  it('is the same by whatever link it is reached', async () => {
    const dataDir = migratedFolder();
    const link = `${dataDir}-link`;
    symlinkSync(dataDir, link);
    const { url } = await start(link);
    expect(await findRunning(dataDir)).toBe(url);
    await expect(start(dataDir)).rejects.toThrow('already uses this folder');
  });

  asRoot('(as root) that the user of the server cannot enter leads to a database elsewhere, which is found again', async () => {
    const dataDir = newFolder('', 0o700);
    const sharedFolder = join(newFolder(), 'shared');
    const first = await start(dataDir, { sharedFolder });
    expect(dirname(dirname(first.cluster.folder))).toBe(sharedFolder);
    expect(lines.filter((line) => line.includes('cannot enter'))).toHaveLength(1);
    expect(await findRunning(dataDir)).toBe(first.url);
    await query(first.url, 'create table kept as select 42 as answer');
    await stopAll();
    const second = await start(dataDir, { sharedFolder });
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await stopAll();
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
    rmSync(dirname(first.cluster.folder), { recursive: true });
    await expect(start(dataDir, { sharedFolder })).rejects.toThrow(/was kept in .* which is gone.*postgres\.json/s);
  });

  asRoot('(as root) that the user of the server cannot enter is refused when there is no place elsewhere', async () => {
    const dataDir = newFolder('', 0o700);
    const sharedFolder = join(newFolder('', 0o700), 'shared');
    const options = /cannot keep its database in .*user "\w+".*Move DATA_DIR.*ordinary user.*DATABASE_URL/s;
    await expect(start(dataDir, { sharedFolder })).rejects.toThrow(options);
  });

  asRoot('(as root) with a database is never left for an empty one elsewhere', async () => {
    const dataDir = migratedFolder();
    await start(dataDir);
    await stopAll();
    chmodSync(dataDir, 0o700);
    await expect(start(dataDir)).rejects.toThrow(/cannot enter that folder/);
  });
});
