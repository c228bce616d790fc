import { spawn } from 'node:child_process';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster';
import { EmbeddedPostgresError, OWN_SERVER } from './embedded-postgres-error';
import { asAccount, commandOf, PLAIN_ENVIRONMENT, processMark, run } from './processes';

const PID_FILE = 'postmaster.pid';
const LOG_FILE = 'server.log';
const POLL_MS = 15;
/** Recovery after a power cut replays up to `max_wal_size` before the server is ready. */
const READY_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_S = 60;
const PORT_ATTEMPTS = 5;

/** The main process of a server that lives and serves that cluster. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
  /** Whether a CPGateway started it, and not somebody by hand. */
  ours: boolean;
}

/** By this setting on its command line a server that we started is known. */
const MARK = 'cluster_name=cpgateway';

/** What can be tuned per start; the address, port and name are ours. */
const SETTINGS: Record<string, string> = {
  max_connections: '100',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The application sees every failed statement itself. Here they would only fill the disk, and with people's data.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/**
 * The server that runs on the folder, found by its postmaster.pid. Lines of that file: process id (negative in single-user mode), data
 * directory, start, port, socket directory, address, shared memory, state (PostgreSQL, src/include/utils/pidfile.h).
 * A file that a dead server has left does not count, nor one whose process id meanwhile belongs to something else.
 */
export async function findPostmaster(folder: string): Promise<Postmaster | undefined> {
  const content = await readFile(join(folder, PID_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  const lines = content?.split('\n').map((line) => line.trim()) ?? [];
  const pid = Math.abs(Number(lines[0]));
  if (processMark(pid) === undefined) return undefined;
  const command = commandOf(pid);
  const isServer = !command || (basename(command.program) === 'postgres' && `${command.line} `.includes(`${folder} `));
  return isServer ? { pid, port: Number(lines[3]), ready: lines[7] === 'ready', ours: !command || command.line.includes(MARK) } : undefined;
}

/** Waits for a server that is just starting or stopping: the ready server, or undefined when it is gone. */
export async function awaitSettled(folder: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const postmaster = await findPostmaster(folder);
    if (!postmaster || postmaster.ready) return postmaster;
    if (Date.now() > deadline) {
      const log = join(folder, LOG_FILE);
      throw new EmbeddedPostgresError(`The PostgreSQL server (pid ${postmaster.pid}) on ${folder} does not get ready. Look at ${log}.`);
    }
    await delay(POLL_MS);
  }
}

/** Removes a postmaster.pid that names no living server of this cluster. PostgreSQL still checks for one by its shared memory. */
export async function removeStalePidFile(folder: string): Promise<void> {
  await rm(join(folder, PID_FILE), { force: true });
}

/** The wished port when it is free, else some free one. */
async function freePort(wished: number | undefined): Promise<number> {
  const tryListen = (port: number): Promise<number | undefined> =>
    new Promise((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(undefined));
      probe.listen(port, '127.0.0.1', () => {
        const { port: got } = probe.address() as AddressInfo;
        probe.close(() => resolve(got));
      });
    });
  const free = (wished && (await tryListen(wished))) || (await tryListen(0));
  if (!free) throw new EmbeddedPostgresError(`No TCP port on 127.0.0.1 is free for the embedded PostgreSQL. Free some, or ${OWN_SERVER}.`);
  return free;
}

/** Starts the server process in a session of its own; resolves when it is ready, or with the text of its log when it ended. */
async function tryStart(cluster: Cluster, port: number, settings: Record<string, string>): Promise<Postmaster | string> {
  const { folder, binaries, account } = cluster;
  const logPath = join(folder, LOG_FILE);
  await rename(logPath, `${logPath}.old`).catch(() => undefined);
  // The folder belongs to another account: a link that it may have put there is not followed ("x": must not exist).
  const log = await open(logPath, 'ax', 0o600);
  if (account) await log.chown(account.uid, account.gid);
  const fixed = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' };
  const options = Object.entries({ ...SETTINGS, ...settings, ...fixed }).map(([name, value]) => `${name}=${value}`);
  // Detached: Ctrl-C at the terminal goes to a whole process group and must not reach the server before we have closed our connections.
  const child = spawn(join(binaries.bin, 'postgres'), ['-D', folder, ...[MARK, ...options].flatMap((option) => ['-c', option])], {
    ...asAccount(account), cwd: '/', env: PLAIN_ENVIRONMENT, detached: true, windowsHide: true, stdio: ['ignore', log.fd, log.fd],
  });
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? `exit code ${code}`}`));
  child.unref();
  await log.close();
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (ended === undefined && Date.now() < deadline) {
    const postmaster = await findPostmaster(folder);
    if (postmaster?.ready && postmaster.pid === child.pid) return postmaster;
    await delay(POLL_MS);
  }
  if (ended === undefined) child.kill('SIGQUIT');
  const said = await readFile(logPath, 'utf8').catch(() => '');
  return `${said}\n${ended ?? 'it did not get ready in time'}`.trim();
}

/**
 * Starts the server on a cluster on which none is running.
 * @param wishedPort taken when it is free.
 * @param onPort is told the port before the server has it.
 * @throws EmbeddedPostgresError with the server's own last words when it does not start.
 */
export async function startServer(
  cluster: Cluster,
  wishedPort: number | undefined,
  settings: Record<string, string>,
  onPort: (port: number) => Promise<void>,
): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? wishedPort : undefined);
    await onPort(port);
    const result = await tryStart(cluster, port, settings);
    if (typeof result !== 'string') return result;
    // Somebody else may take a port between our looking at it and the server's taking it.
    const portTaken = result.includes('could not create any TCP/IP sockets');
    if (!portTaken || attempt === PORT_ATTEMPTS) {
      const words = result.split('\n').slice(-8).join('\n');
      const advice = `Put that right, or ${OWN_SERVER}.`;
      throw new EmbeddedPostgresError(`The embedded PostgreSQL on ${cluster.folder} did not start:\n${words}\n${advice}`);
    }
  }
}

/**
 * Stops the server: sessions are ended, changes that were committed are on disk. Does nothing when none is running.
 * @throws EmbeddedPostgresError when it still runs after a minute.
 */
export async function stopServer({ folder, binaries, account }: Cluster): Promise<void> {
  if (!(await findPostmaster(folder))) return;
  const options = ['stop', '-D', folder, '-m', 'fast', '-w', '-t', String(STOP_TIMEOUT_S)];
  const { output } = await run(join(binaries.bin, 'pg_ctl'), options, account);
  const left = await findPostmaster(folder);
  if (left) throw new EmbeddedPostgresError(`The embedded PostgreSQL (pid ${left.pid}) on ${folder} does not stop: ${output}`);
}
