import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

/** A server of this run, as a process of its own. */
export interface Server {
  process: ChildProcess;
  port: number;
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

/** Starts a program that listens on PORT, and waits until it answers. */
export async function startServer(command: string[], environment: Record<string, string>): Promise<Server> {
  const port = await freePort();
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let tries = 0; tries < 300; tries += 1) {
    const answers = await fetch(`http://127.0.0.1:${port}/health/live`).then(() => true, () => false);
    if (answers) return { process: child, port };
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
  throw new Error('The server did not start.');
}

/** Ends it and waits for its end. */
export async function stopServer({ process: child }: Server): Promise<void> {
  const ended = new Promise((resolve) => void child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** What it occupies in memory now, in megabytes. */
export async function residentMegabytes({ process: child }: Server): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024);
}
