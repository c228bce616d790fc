import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';

/** What a client asked: on which connection, and when Redis came to it, in seconds since 1970. */
export interface Asked {
  from: string;
  at: number;
}

/** A Redis of a test's own on a free port, which keeps nothing on disk. It can be killed, frozen and started again. */
export class RedisServer {
  private child?: ChildProcess;
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'cpgateway-redis-'));
  // A test run that is broken off must not leave it behind.
  private readonly atExit = () => void this.child?.kill('SIGKILL');

  private constructor(private readonly port: number) {
    process.once('exit', this.atExit);
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it, empty, where it was before. Resolves when it takes connections. */
  async run(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.folder];
    const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    child.on('error', () => undefined);
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes('Ready to accept connections')) continue;
      // Whatever it goes on to say must be read, or it would block on a full pipe.
      child.stdout.resume();
      return;
    }
    throw new Error('redis-server did not start. Is it installed? Debian: apt-get install redis-server');
  }

  /** As a power cut would: its connections are reset, and nothing listens any more. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** It keeps its connections and takes new ones, and answers nothing. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Hears of everything that clients ask from now on, also what waits for a frozen Redis, once it comes to it. `stop` ends it. */
  async listen(): Promise<{ asked: readonly Asked[]; stop(): void }> {
    const redis = new Redis(this.url, { retryStrategy: () => null });
    redis.on('error', () => undefined);
    const monitor = await redis.monitor();
    redis.disconnect();
    const asked: Asked[] = [];
    monitor.on('error', () => undefined);
    // What a script asks in turn comes from no connection of its own.
    monitor.on('monitor', (at: string, _command: string[], from: string) => void (from !== 'lua' && asked.push({ from, at: Number(at) })));
    return { asked, stop: () => monitor.disconnect() };
  }

  /** Ends it for good, also when it is frozen. */
  async stop(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.atExit);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
