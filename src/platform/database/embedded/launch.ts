import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { findBinaries, findPackage } from './binaries';
import { DATABASE, ensureCluster, prepareCluster, SUPERUSER, type Cluster } from './cluster';
import {
  checkElsewhere, clusterFolder, clusterOwner, moveElsewhere, notWritable, openDataFolder, readNotes, writeNotes, type Notes,
} from './data-folder';
import { EmbeddedPostgresError, OWN_SERVER } from './embedded-postgres-error';
import { takeOwnerLock, type OwnerLock } from './owner-lock';
import { run, type Account } from './processes';
import { awaitSettled, removeStalePidFile, startServer, stopServer, type Postmaster } from './server';
import { chooseAccount } from './system-user';

export interface LaunchOptions {
  dataDir: string;
  log(line: string): void;
  settings?: Record<string, string>;
}

/** What the machine offers. */
export interface Machine {
  /** Operating system and processor, e.g. `linux-x64`. */
  platform: string;
  /** The installed package with PostgreSQL's programs, if any. */
  packageFolder: string | undefined;
  /** The list of accounts, passwd(5). */
  passwdFile: string;
  /** Where root may keep what the server's account cannot reach in the data folder or in node_modules. */
  sharedFolder: string;
}

export function thisMachine(): Machine {
  const platform = `${process.platform}-${process.arch}`;
  return { platform, packageFolder: findPackage(platform), passwdFile: '/etc/passwd', sharedFolder: '/var/lib/cpgateway' };
}

/** A server that runs, and what is needed to end it. */
export interface Running {
  url: string;
  ownedByUs: boolean;
  cluster: Cluster;
  lock: OwnerLock;
}

export function urlOf(password: string, port: number): string {
  return `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** Whether the account can pass through the folder, tried by one of PostgreSQL's own programs that looks for something in it. */
async function canEnter(bin: string, account: Account, folder: string): Promise<boolean> {
  const { output } = await run(`${bin}/pg_ctl`, ['status', '-D', `${folder}/postgres`], account);
  return !output.includes('could not access');
}

function cannotEnter(folder: string, account: Account, tried: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The embedded PostgreSQL cannot keep its database in ${folder}: it must not run as root, and the user "${account.name}" that it ` +
      `runs as cannot enter that folder${tried}. Move DATA_DIR to a folder that this user can enter, ` +
      `start CPGateway as an ordinary user, or ${OWN_SERVER}.`,
  );
}

/** Decides where the cluster is, whom it runs as and which programs run it. */
async function findPlace(dataDir: string, notes: Notes, machine: Machine, log: (line: string) => void): Promise<[Cluster, Notes]> {
  const folder = clusterFolder(dataDir, notes);
  if (process.getuid?.() !== 0) {
    const binaries = await findBinaries({ ...machine, copiesFolder: dataDir }, undefined, log);
    return [{ folder, binaries, account: undefined }, notes];
  }
  const ownerUid = await clusterOwner(folder);
  const account = await chooseAccount(machine.passwdFile, ownerUid);
  const binaries = await findBinaries({ ...machine, copiesFolder: machine.sharedFolder }, account, log);
  if (await canEnter(binaries.bin, account, dirname(folder))) return [{ folder, binaries, account }, notes];
  if (ownerUid !== undefined || notes.cluster) throw cannotEnter(dirname(folder), account, '');
  const moved = await moveElsewhere(dataDir, notes, machine.sharedFolder).catch((error: Error) => {
    throw cannotEnter(dataDir, account, `; nor can it be kept elsewhere (${error.message})`);
  });
  const elsewhere = clusterFolder(dataDir, moved);
  if (!(await canEnter(binaries.bin, account, dirname(elsewhere)))) throw cannotEnter(dataDir, account, `, nor ${dirname(elsewhere)}`);
  log(`The user "${account.name}" that PostgreSQL runs as cannot enter ${dataDir}: the database is kept in ${elsewhere}.`);
  return [{ folder: elsewhere, binaries, account }, moved];
}

/** Starts the server of a cluster on which none is running, and remembers how to reach it. */
async function startCold(dataDir: string, notes: Notes, cluster: Cluster, settings: Record<string, string>): Promise<[Postmaster, string]> {
  await removeStalePidFile(cluster.folder);
  const password = notes.password ?? randomBytes(24).toString('base64url');
  await writeNotes(dataDir, { ...notes, password });
  await prepareCluster(cluster, password);
  const postmaster = await startServer(cluster, notes.port, settings, (port) => writeNotes(dataDir, { ...notes, password, port }));
  return [postmaster, password];
}

async function launchLocked(dataDir: string, options: LaunchOptions, machine: Machine, lock: OwnerLock): Promise<Running> {
  const { log, settings = {} } = options;
  const known = await readNotes(dataDir);
  await checkElsewhere(dataDir, known);
  const [cluster, notes] = await findPlace(dataDir, known, machine, log);
  await ensureCluster(cluster);
  const found = await awaitSettled(cluster.folder);
  if (found && notes.password) {
    // A server that a CPGateway has left behind is ours to stop. One that somebody started by hand is only used.
    const fate = found.ours ? 'left behind by a CPGateway that was killed: it is taken over' : 'started by hand: it is used and left alone';
    log(`A PostgreSQL server (pid ${found.pid}) already runs on ${cluster.folder}, ${fate}.`);
    return { url: urlOf(notes.password, found.port), ownedByUs: found.ours, cluster, lock };
  }
  if (found) {
    log(`The password of the PostgreSQL server (pid ${found.pid}) on ${cluster.folder} is lost: it is started again with a new one.`);
    await stopServer(cluster);
  }
  const [postmaster, password] = await startCold(dataDir, notes, cluster, settings);
  log(`PostgreSQL ${cluster.binaries.major} runs on 127.0.0.1:${postmaster.port} with its data in ${cluster.folder}.`);
  return { url: urlOf(password, postmaster.port), ownedByUs: true, cluster, lock };
}

/**
 * Takes the data folder for this process and brings its server up.
 * @throws EmbeddedPostgresError, also for whatever the file system refuses.
 */
export async function launch(options: LaunchOptions, machine: Machine): Promise<Running> {
  const dataDir = await openDataFolder(options.dataDir);
  let lock: OwnerLock | undefined;
  try {
    lock = await takeOwnerLock(dataDir);
    return await launchLocked(dataDir, options, machine, lock);
  } catch (error) {
    lock?.release();
    throw (error as NodeJS.ErrnoException).syscall ? notWritable(dataDir, error) : error;
  }
}
