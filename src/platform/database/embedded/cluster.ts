import { chown, lchown, mkdtemp, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './binaries';
import { clusterVersion, unfinishedPrefix } from './data-folder';
import { EmbeddedPostgresError, OWN_SERVER } from './embedded-postgres-error';
import { run, type Account, type RunResult } from './processes';

export const SUPERUSER = 'postgres';
export const DATABASE = 'cpgateway';

/** A cluster on disk with everything that is needed to run it. */
export interface Cluster {
  folder: string;
  binaries: Binaries;
  /** Whom the server runs as; undefined: ourselves. */
  account: Account | undefined;
}

/** Puts a rename on disk: without this a power cut could take the new name back while what was written under it stays. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

/** Removes what starts that were killed half way have left. */
async function removeUnfinished(cluster: string): Promise<void> {
  const prefix = basename(unfinishedPrefix(cluster));
  const parent = dirname(cluster);
  for (const name of await readdir(parent)) {
    // One that an orphaned initdb still writes to may resist; the next start removes it.
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Makes a new cluster: UTF-8, locale C, page checksums, entrance by TCP with a scram password only. It is made under another name and
 * renamed when it is complete, so that being killed in between means that it is simply made again.
 */
async function createCluster({ folder, binaries, account }: Cluster): Promise<void> {
  const unfinished = await mkdtemp(unfinishedPrefix(folder));
  if (account) await chown(unfinished, account.uid, account.gid);
  // Sockets are rejected altogether; the superuser has no password yet, which lets nobody in by scram either.
  const options = ['--auth-local=reject', '--auth-host=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const { code, output } = await run(join(binaries.bin, 'initdb'), ['-D', unfinished, '-U', SUPERUSER, ...options], account);
  if (code !== 0) {
    await rm(unfinished, { recursive: true, force: true });
    throw new EmbeddedPostgresError(
      `PostgreSQL could not make a new database in ${dirname(folder)}: ${output}\nPut that right, or ${OWN_SERVER}.`,
    );
  }
  await rmdir(folder).catch(() => undefined);
  await rename(unfinished, folder);
  await syncFolder(dirname(folder));
}

/** Gives a tree to the account; links are not followed. */
async function giveAway(path: string, account: Account): Promise<void> {
  await lchown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await giveAway(join(path, entry.name), account);
    else await lchown(join(path, entry.name), account.uid, account.gid);
  }
}

/**
 * Makes sure that the folder holds a cluster that these binaries can run.
 * @throws EmbeddedPostgresError for a cluster of another major version; it is not touched.
 */
export async function ensureCluster(cluster: Cluster): Promise<void> {
  const { folder, binaries, account } = cluster;
  const version = await clusterVersion(folder);
  if (version !== undefined && version !== binaries.major) {
    throw new EmbeddedPostgresError(
      `The folder ${folder} holds a database of PostgreSQL ${version}, and this CPGateway brings ${binaries.major}. ` +
        'Nothing was changed. Go back to the CPGateway that wrote it and move its data (backup:create, then backup:restore), ' +
        `or ${OWN_SERVER}.`,
    );
  }
  await removeUnfinished(folder);
  if (version === undefined) await createCluster(cluster);
  else if (account && (await stat(folder)).uid !== account.uid) await giveAway(folder, account);
}

/** How long the last sessions of a server that was killed may take to notice it and end; nothing may be started before. */
const LEFTOVER_TIMEOUT_MS = 20_000;

/** Runs statements in single-user mode. */
async function runSingleUser({ folder, binaries, account }: Cluster, statements: string): Promise<RunResult> {
  // The text of a statement that fails must not be shown: one of them holds the password.
  const options = ['--single', '-D', folder, '-c', 'log_min_error_statement=panic', '-c', 'log_checkpoints=off', 'postgres'];
  const deadline = Date.now() + LEFTOVER_TIMEOUT_MS;
  for (;;) {
    const result = await run(join(binaries.bin, 'postgres'), options, account, statements);
    if (!result.output.includes('shared memory block') || Date.now() > deadline) return result;
    await delay(100);
  }
}

/**
 * Sets the password and creates the database if it is missing, in PostgreSQL's single-user mode: there nobody has to log in, so it also
 * helps when the password is lost. The server must not be running. Takes about 30 ms,
 * and after a crash as long as the recovery.
 * @param password only letters, digits, `-` and `_`.
 */
export async function prepareCluster(cluster: Cluster, password: string): Promise<void> {
  const statements = `alter role ${SUPERUSER} login password '${password}'\ncreate database ${DATABASE}\n`;
  const { code, output } = await runSingleUser(cluster, statements);
  const faults = output.split('\n').filter((line) => /(ERROR|FATAL|PANIC): /.test(line) && !line.includes('already exists'));
  if (code === 0 && faults.length === 0) return;
  const reason = faults.join('; ') || output || 'it could not be started';
  const advice = `Restore it from a backup, or ${OWN_SERVER}`;
  throw new EmbeddedPostgresError(`PostgreSQL cannot open the database in ${cluster.folder}: ${reason}. ${advice}.`);
}
