import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { built, CODE_CACHE } from './built';

/** How a program ended, with all that it wrote. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

const ROOT = resolve(__dirname, '../..');
const running = new Set<Program>();

/** A built program as a process of its own, with a fresh environment that holds only what is given. */
export class Program {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  private constructor(readonly child: ChildProcess) {
    running.add(this);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(child, 'close').then(([code, signal]) => {
      running.delete(this);
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** `name` is a file of dist/src without its ending. */
  static async start(name: string, environment: Record<string, string>, args: string[] = []): Promise<Program> {
    const env = { PATH: process.env.PATH, ...environment };
    return new Program(spawn(process.execPath, ['-r', CODE_CACHE, join(await built(), `${name}.js`), ...args], { env }));
  }

  /** `npm start` as people type it, without the build that comes before it. */
  static async npmStart(environment: Record<string, string>): Promise<Program> {
    await built();
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
    return new Program(spawn('npm', ['start', '--ignore-scripts'], { cwd: ROOT, env }));
  }

  /** Waits until standard output holds the text, and answers all of it so far. */
  async says(text: string | RegExp): Promise<string> {
    while (this.stdout.search(text) < 0) {
      const ended = await Promise.race([once(this.child.stdout!, 'data').then(() => undefined), this.ended]);
      if (!ended || this.stdout.search(text) >= 0) continue;
      throw new Error(`It ended with ${ended.code} before it said ${text}: ${ended.stderr}${ended.stdout}`);
    }
    return this.stdout;
  }

  /** The address of a server that has come up in development. */
  async url(): Promise<string> {
    const [, url] = /CPGateway is ready at (\S+)/.exec(await this.says(/CPGateway is ready[^]*Try next[^]*\n\n/))!;
    return url;
  }

  /** Sends a signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** Runs a program to its end. */
export async function runProgram(name: string, environment: Record<string, string>, args: string[] = []): Promise<Ended> {
  return (await Program.start(name, environment, args)).ended;
}

/** Ends what a failed test has left running. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill('SIGTERM')));
}
