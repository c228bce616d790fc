import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { built, CODE_CACHE } from './built';
import { TEST_SECRETS } from './gateway';

const root = path.resolve(__dirname, '../..');

/** The server as a process of its own, so that it can be killed. It is built when it has not been. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** Starts it on a database, with further settings, and waits until it says that it is ready. */
  static async start(databaseUrl: string, dataDir: string, environment: Record<string, string> = {}): Promise<ServerProcess> {
    const child = spawn(process.execPath, ['-r', CODE_CACHE, path.join(await built(), 'main.js')], {
      cwd: root,
      env: {
        PATH: process.env.PATH, NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'info', DATA_DIR: dataDir, DATABASE_URL: databaseUrl,
        ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, JWT_SECRET_KEY: TEST_SECRETS.jwt, WEBHOOK_SECRET: TEST_SECRETS.generic, WEBHOOK_SECRET_STRIPE: TEST_SECRETS.stripe,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout! })) {
      const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
      if (msg === 'ready' && url) {
        // Whatever it goes on to say must be read, or it would block on a full pipe.
        child.stdout!.resume();
        return new ServerProcess(child, url);
      }
    }
    throw new Error('The server ended before it was ready.');
  }

  /** As a power cut would: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As an operator would. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}
