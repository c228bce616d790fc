import type { OnModuleDestroy } from '@nestjs/common';
import { type AttemptStore, type AttemptRule, FORGET_MS, MAX_FAILURES, MAX_WAIT_MS } from './attempts';

/** So many subjects are remembered; whoever has been quiet for longest makes room. */
const MAX_SUBJECTS = 100_000;
const SWEEP_MS = 60_000;

interface Subject {
  /** When the attempts that count were let in, oldest first. Never empty. */
  times: number[];
  forgottenAt: number;
}

/** Failed attempts in the memory of this instance. */
export class MemoryAttempts implements AttemptStore, OnModuleDestroy {
  /** The one that changed last comes last. */
  private readonly subjects = new Map<string, Subject>();
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();

  constructor(
    private readonly clock: () => number = Date.now,
    private readonly maxSubjects = MAX_SUBJECTS,
  ) {}

  async take(key: string, rule: AttemptRule) {
    const now = this.clock();
    const times = this.timesOf(key, now);
    const waitMs = times.length < rule.limit ? 0 : times[times.length - 1] + waitAfter(times.length, rule) - now;
    if (waitMs > 0) return { allowed: false, failures: times.length, waitMs };
    const counted = [...times, now].slice(-MAX_FAILURES);
    this.keep(key, counted, rule);
    return { allowed: true, failures: counted.length, waitMs: 0 };
  }

  async giveBack(key: string, rule: AttemptRule): Promise<void> {
    this.keep(key, this.timesOf(key, this.clock()).slice(0, -1), rule);
  }

  async forgive(key: string): Promise<void> {
    this.subjects.delete(key);
  }

  async failures(key: string, _rule: AttemptRule): Promise<number> {
    return this.timesOf(key, this.clock()).length;
  }

  onModuleDestroy(): void {
    clearInterval(this.sweeper);
  }

  private timesOf(key: string, now: number): readonly number[] {
    const subject = this.subjects.get(key);
    return subject && now < subject.forgottenAt ? subject.times : [];
  }

  private keep(key: string, times: number[], { limit, windowMs }: AttemptRule): void {
    this.subjects.delete(key);
    if (times.length === 0) return;
    this.subjects.set(key, { times, forgottenAt: times[times.length - 1] + (times.length < limit ? windowMs : FORGET_MS) });
    if (this.subjects.size <= this.maxSubjects) return;
    const [quietest] = this.subjects.keys();
    this.subjects.delete(quietest);
  }

  private sweep(): void {
    const now = this.clock();
    for (const [key, { forgottenAt }] of this.subjects) if (now >= forgottenAt) this.subjects.delete(key);
  }
}

/** Milliseconds from the last failure until the next attempt is let in. */
function waitAfter(failures: number, { limit, windowMs }: AttemptRule): number {
  return Math.min(windowMs * 2 ** (failures - limit), MAX_WAIT_MS);
}
