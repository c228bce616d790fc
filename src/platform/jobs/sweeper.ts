import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { runInContext } from '../http/request-context';
import { newId } from '../identifiers';

/** Looks for rows that are due, handles some of them, and answers whether there may be more right away. */
export type Sweep = () => Promise<boolean>;

interface Running {
  name: string;
  everyMs: number;
  sweep: Sweep;
  timer?: NodeJS.Timeout;
  current?: Promise<void>;
  again: boolean;
}

/**
 * Repeats sweeps over tables with a due time: payments to expire, deliveries to send. What is due is in the rows themselves,
 * so nothing is lost when a process dies; several instances share the work because rows are claimed with SKIP LOCKED.
 */
@Injectable()
export class Sweeper implements BeforeApplicationShutdown {
  private readonly logger = new Logger(Sweeper.name);
  private readonly sweeps = new Map<string, Running>();
  private stopping = false;

  /** Starts a sweep that runs at least this often until the application stops. */
  every(name: string, everyMs: number, sweep: Sweep): void {
    const running: Running = { name, everyMs, sweep, again: false };
    this.sweeps.set(name, running);
    this.wait(running);
  }

  /** Runs a sweep now instead of at its next turn: something has just become due. */
  poke(name: string): void {
    const running = this.sweeps.get(name);
    if (!running || this.stopping) return;
    if (running.current) running.again = true;
    else this.start(running);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const { timer } of this.sweeps.values()) clearTimeout(timer);
    await Promise.all([...this.sweeps.values()].map(({ current }) => current));
  }

  private wait(running: Running): void {
    if (this.stopping) return;
    running.timer = setTimeout(() => this.start(running), running.everyMs);
  }

  private start(running: Running): void {
    clearTimeout(running.timer);
    const context = { requestId: newId('req'), actor: { type: 'system' as const, id: running.name }, route: running.name, startedAt: performance.now() };
    running.current = runInContext(context, () => this.loop(running)).finally(() => {
      running.current = undefined;
      this.wait(running);
    });
  }

  private async loop(running: Running): Promise<void> {
    try {
      let more = true;
      while (more && !this.stopping) {
        running.again = false;
        more = (await running.sweep()) || running.again;
      }
    } catch (error) {
      this.logger.error({ err: error, msg: `the sweep ${running.name} failed and will run again` });
    }
  }
}
