import { constants } from 'node:os';
import type { Logger as Pino } from 'pino';

/** How long each part may take to close; what is not done by then is cut off. */
const CLOSE_TIMEOUT_MS = 10_000;
/** Ctrl-C under npm comes twice, from the terminal and from npm: within this time it is one signal. */
const SAME_SIGNAL_MS = 500;

type Signal = 'SIGINT' | 'SIGTERM';

/**
 * The life of the process: what was started, in which order it is closed, and the only owner of its signals. However the
 * end comes, by signal, failure or an error that nobody caught, the parts are closed in the opposite order, then the process exits.
 */
export class Lifetime {
  private readonly closings: (() => Promise<void>)[] = [];
  private ending = false;
  private exitCode = 0;
  private signalledAt?: number;

  constructor(private readonly log: Pino) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.heard(signal));
    process.on('uncaughtException', (error) => this.broken(error, 'an error was not caught'));
    process.on('unhandledRejection', (error) => this.broken(error, 'a rejection was not handled'));
  }

  /**
   * Starts one part and remembers how it is closed, also when the end comes while it is still starting.
   * Does not return once the end has come.
   */
  async begin<Part>(starting: Promise<Part>, close: (part: Part) => Promise<void> = async () => undefined): Promise<Part> {
    this.closings.unshift(() => starting.then(close, () => undefined));
    const part = await starting.catch((error: unknown) => this.pauseIfEnding(error));
    if (this.ending) await forever();
    return part;
  }

  /** Closes everything and exits with the code; only the first call counts. */
  end(exitCode: number): void {
    if (this.ending) return;
    this.ending = true;
    this.exitCode = exitCode;
    void this.closeAll();
  }

  private async closeAll(): Promise<void> {
    for (const close of this.closings) {
      try {
        await inTime(close());
      } catch (error) {
        this.exitCode = 1;
        this.log.error({ err: error }, 'a part did not close cleanly');
      }
    }
    this.log.info({ exit_code: this.exitCode }, 'stopped');
    process.exit(this.exitCode);
  }

  private heard(signal: Signal): void {
    const now = performance.now();
    this.signalledAt ??= now;
    if (now - this.signalledAt > SAME_SIGNAL_MS) process.exit(128 + constants.signals[signal]);
    if (!this.ending) this.log.info({ signal }, 'stopping: finishing what is under way');
    this.end(0);
  }

  private broken(error: unknown, message: string): void {
    this.log.fatal({ err: error }, message);
    this.exitCode = 1;
    this.end(1);
  }

  /** A part that fails because the ones before it are being closed has nothing to report. */
  private async pauseIfEnding(error: unknown): Promise<never> {
    if (this.ending) await forever();
    throw error;
  }
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

async function inTime(closing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not closed within ${CLOSE_TIMEOUT_MS / 1000} s`)), CLOSE_TIMEOUT_MS);
  });
  await Promise.race([closing, late]).finally(() => clearTimeout(timer));
}
