import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error';
import { processMark } from './processes';

const FILE = 'postgres.lock';
const ATTEMPTS = 20;
/** How often an owner touches its lock, and after how long without a touch it is taken for dead where its process cannot be seen. */
const BEAT_MS = 1_000;
const SILENCE_MS = 5_000;
/** A lock that has not been touched for that long needs no watching. */
const LONG_DEAD_MS = 60_000;

export interface OwnerLock {
  /** Gives the folder free, if it still is ours. */
  release(): void;
}

/** What a lock file says: process id, the namespace of process ids in which it counts, mark of the process. */
interface Owner {
  pid: number;
  namespace: string;
  mark: string;
}

/** The namespace in which our process ids count: each container has its own (pid_namespaces(7)). Elsewhere there is one only. */
function ownNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'machine';
  }
}

function parseOwner(content: string): Owner | undefined {
  const [pid, namespace, ...mark] = content.trim().split(' ');
  return namespace && mark.length > 0 ? { pid: Number(pid), namespace, mark: mark.join(' ') } : undefined;
}

function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Watches whether somebody touches the lock. Only the change counts, because the clocks of two machines may differ. */
async function isBeating(path: string): Promise<boolean> {
  const lastBeat = () => readIfThere(() => statSync(path).mtimeMs);
  const before = lastBeat();
  if (before === undefined || before < Date.now() - LONG_DEAD_MS) return false;
  for (let waitedMs = 0; waitedMs < SILENCE_MS; waitedMs += BEAT_MS / 4) {
    await delay(BEAT_MS / 4);
    const now = lastBeat();
    if (now !== before) return now !== undefined;
  }
  return false;
}

/** Whether the owner lives. In another container it cannot be seen, and a second server on the same files would destroy them. */
async function isAlive(owner: Owner, path: string): Promise<boolean> {
  return owner.namespace === ownNamespace() ? processMark(owner.pid) === owner.mark : isBeating(path);
}

/**
 * Moves a dead owner's lock out of the way. Between reading and moving, a third process may have replaced it by its own: what was
 * moved is looked at again, and a lock that was not the dead one is put back.
 */
function clearStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function touchQuietly(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // A folder that is gone or full of faults shows itself elsewhere; a timer has nobody to tell.
  }
}

/** Writes our lock when there is none. */
function tryTake(path: string): OwnerLock | undefined {
  const mine = `${process.pid} ${ownNamespace()} ${processMark(process.pid)}\n`;
  try {
    writeFileSync(path, mine, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  const isMine = () => readIfThere(() => readFileSync(path, 'utf8')) === mine;
  const beat = setInterval(() => touchQuietly(path), BEAT_MS).unref();
  return {
    release: () => {
      clearInterval(beat);
      if (isMine()) rmSync(path, { force: true });
    },
  };
}

/**
 * Makes this process the only application that uses the data folder, until `release` or until the process ends.
 * @throws EmbeddedPostgresError when another living process has the folder.
 */
export async function takeOwnerLock(dataDir: string): Promise<OwnerLock> {
  const path = join(dataDir, FILE);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = tryTake(path);
    if (lock) return lock;
    const theirs = readIfThere(() => readFileSync(path, 'utf8'));
    if (theirs === undefined) continue;
    const owner = parseOwner(theirs);
    if (owner && (await isAlive(owner, path))) throw inUse(dataDir, path, owner);
    // Somebody may have created the file and not written it yet; only when it stays empty did they die in between.
    if (theirs === '' && attempt < ATTEMPTS / 2) await delay(10);
    else clearStale(path, theirs);
  }
  throw new EmbeddedPostgresError(`The lock file ${path} keeps changing hands. Start CPGateway once only, then try again.`);
}

function inUse(dataDir: string, path: string, { pid, namespace }: Owner): EmbeddedPostgresError {
  const where = namespace === ownNamespace() ? '' : ' in another container';
  return new EmbeddedPostgresError(
    `Another CPGateway (pid ${pid}${where}) already uses this folder: ${dataDir}. Stop that one first, or give this one a DATA_DIR ` +
      `of its own. (If process ${pid} is not a CPGateway, delete ${path}.)`,
  );
}
