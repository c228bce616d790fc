import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError, OWN_SERVER } from './embedded-postgres-error';

const NOTES = 'postgres.json';
const CLUSTER = 'postgres';

/** What is remembered in the data folder from one start to the next. */
export interface Notes {
  /** The password of the superuser. It is set anew at each start, so that it always is the one of the server. */
  password?: string;
  /** The TCP port on 127.0.0.1; asked for again at the next start, so that the URL stays the same. */
  port?: number;
  /** Where the cluster is kept when it cannot be kept in the data folder itself. */
  cluster?: string;
}

/** The folder that PostgreSQL itself calls its data directory. */
export function clusterFolder(dataDir: string, notes: Notes): string {
  return notes.cluster ?? join(dataDir, CLUSTER);
}

/**
 * Makes the data folder when it is missing and gives its real path. The others of the machine may pass through a new folder and not
 * list it, because the server may have to run as one of them.
 */
export async function openDataFolder(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    return await realpath(dataDir);
  } catch (error) {
    throw notWritable(resolve(dataDir), error);
  }
}

export function notWritable(dataDir: string, error: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `CPGateway cannot keep its database in ${dataDir}: ${(error as Error).message}. ` +
      `Make that folder writable for the user that starts CPGateway, let DATA_DIR name another one, or ${OWN_SERVER}.`,
  );
}

/** @throws EmbeddedPostgresError when there are notes that cannot be read or understood. */
export async function readNotes(dataDir: string): Promise<Notes> {
  const path = join(dataDir, NOTES);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Notes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new EmbeddedPostgresError(
      `The file ${path} cannot be read: ${(error as Error).message}. ` +
        'Run this as the user that started CPGateway first; if the file is damaged, restore it from a backup of the folder.',
    );
  }
}

/** Writes the notes whole or not at all, readable only by their owner, who is the owner of the folder even when root starts us. */
export async function writeNotes(dataDir: string, notes: Notes): Promise<void> {
  const path = join(dataDir, NOTES);
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(notes, null, 2)}\n`, { mode: 0o600, flush: true });
  await giveToOwnerOfFolder(unfinished);
  await rename(unfinished, path);
}

/** Lets a file that root has made belong to the owner of its folder, so that this owner can go on without root. */
async function giveToOwnerOfFolder(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  await chown(path, uid, gid);
}

/** Who owns the cluster, when there is one. */
export async function clusterOwner(cluster: string): Promise<number | undefined> {
  return (await clusterVersion(cluster)) === undefined ? undefined : (await stat(cluster)).uid;
}

/**
 * The major version of the cluster in a folder; undefined when the folder is missing or empty.
 * @throws EmbeddedPostgresError when it holds something else, or may not be read.
 */
export async function clusterVersion(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      throw new EmbeddedPostgresError(
        `The database in ${cluster} cannot be read: ${(error as Error).message}. ` +
          `Start CPGateway as the user that started it before, or ${OWN_SERVER}.`,
      );
    }
  }
  const names = await readdir(cluster).catch(() => []);
  if (names.length === 0) return undefined;
  throw new EmbeddedPostgresError(
    `The folder ${cluster} is not empty and holds no database (it has no file PG_VERSION). Nothing was changed. ` +
      `Restore the database there, move what it holds away, or let DATA_DIR name another folder.`,
  );
}

/**
 * Makes a folder for the cluster outside of the data folder and notes it there. A folder of an earlier use is never taken again: whoever
 * deleted the data folder wants to begin with an empty database.
 */
export async function moveElsewhere(dataDir: string, notes: Notes, into: string): Promise<Notes> {
  await mkdir(into, { recursive: true, mode: 0o755 });
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const folder = await mkdtemp(join(into, `${name}-`));
  await chmod(folder, 0o711);
  const moved = { ...notes, cluster: join(folder, CLUSTER) };
  await writeNotes(dataDir, moved);
  return moved;
}

/** @throws EmbeddedPostgresError when the notes name a place elsewhere that is gone: an empty database would hide the loss. */
export async function checkElsewhere(dataDir: string, notes: Notes): Promise<void> {
  if (!notes.cluster || (await stat(dirname(notes.cluster)).catch(() => undefined))) return;
  throw new EmbeddedPostgresError(
    `The database of ${dataDir} was kept in ${notes.cluster}, which is gone. Restore that folder from a backup; ` +
      `or delete ${join(dataDir, NOTES)} to begin with an empty database.`,
  );
}

/** The prefix of the folders in which a cluster is made before it gets its name. */
export function unfinishedPrefix(cluster: string): string {
  return join(dirname(cluster), `${basename(cluster)}.initdb-`);
}
