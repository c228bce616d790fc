import { setImmediate } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { connectionBeside } from '../../platform/database/data-source';
import { SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { type ContextRow, contextOf, type PaymentContext, type PaymentQuestion, questionColumns } from '../signals/payment-context';
import type { Assessment } from './assessment';
import { KEPT_COLUMNS, Unwritten } from './unwritten';

/** So many looks in one round trip. */
const TOGETHER = 32;
/** So many assessments are written in one, or as many as have come when the first of them has waited so long. */
const MOST = 128;
const WAIT_MS = 250;
const call = (name: string, parameters: number) => `${name}(${Array.from({ length: parameters }, (_, at) => `$${at + 1}`).join(', ')})`;
const LOOK = `select * from ${call('payment_contexts', questionColumns([]).length)}`;
const KEEP = `select ${call('keep_assessments', KEPT_COLUMNS)}`;

/** A look that waits for its round trip. */
interface Asked {
  question: PaymentQuestion;
  resolve(context: PaymentContext): void;
  reject(error: unknown): void;
}

/**
 * The round trips that payments share: what several of them want to know goes to the database together, and so, soon after they were
 * created, do the assessments of those that were let through. Starting such a statement costs several times what a payment more in it
 * costs. Whoever is alone never waits to be looked at. There is one round trip at a time, on a connection of its own, as a look beside one that
 * is still writing would not see it; what is not written yet is added to what was read. What a crash loses is written again from the payments
 * themselves; see MissingAssessments.
 */
@Injectable()
export class SharedRounds implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(SharedRounds.name);
  private unwritten = new Unwritten();
  private readonly connection: Pool;
  private asked: Asked[] = [];
  private waiting?: NodeJS.Timeout;
  private last: Promise<void> = Promise.resolve();

  constructor(dataSource: DataSource) {
    this.connection = connectionBeside(dataSource);
  }

  /** Reads what a payment is decided on. All that this instance has let through before counts. */
  look(question: PaymentQuestion): Promise<PaymentContext> {
    return new Promise((resolve, reject) => {
      this.asked.push({ question, resolve, reject });
      if (this.asked.length === 1) void this.next(() => this.run());
    });
  }

  /** Writes an assessment of what was created, soon; nobody waits for it. */
  keep(assessment: Assessment): void {
    this.unwritten.add(assessment);
    this.waiting ??= setTimeout(() => void this.flush(), WAIT_MS);
    if (this.unwritten.size === MOST) void this.flush();
  }

  /** Writes what waits to be written; what is under way is written then too. */
  flush(): Promise<void> {
    return this.next(() => this.writeWaiting());
  }

  /** Writes these now, each once: one that is written already stays as it is. */
  write(assessments: readonly Assessment[]): Promise<void> {
    return this.writeAll(Unwritten.of(assessments));
  }

  /** Nothing waits when the process ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection.end();
  }

  private async run(): Promise<void> {
    // What has arrived beside it goes along, also what the process has not read yet.
    await setImmediate();
    const asked = this.asked.splice(0, TOGETHER);
    if (this.asked.length > 0) void this.next(() => this.run());
    await this.answer(asked);
  }

  /** Work that never fails, after all that was begun before. */
  private next(work: () => Promise<void>): Promise<void> {
    this.last = this.last.then(work);
    return this.last;
  }

  private async answer(asked: readonly Asked[]): Promise<void> {
    try {
      const values = questionColumns(asked.map(({ question }) => question));
      const { rows } = await this.connection.query<ContextRow>({ name: 'payment_contexts', text: LOOK, values });
      rows.sort((one, other) => one.n - other.n);
      asked.forEach(({ question, resolve }, at) => resolve(contextOf(rows[at]!, this.unwritten.countsFor(question))));
    } catch (error) {
      // Whichever of them it was: nobody must fail for what others ask.
      if (asked.length === 1) asked[0]!.reject(error);
      else for (const each of asked) await this.answer([each]);
    }
  }

  private async writeAll(unwritten: Unwritten): Promise<void> {
    try {
      await this.connection.query({ name: 'keep_assessments', text: KEEP, values: unwritten.parameters() });
    } catch (error) {
      if (sqlStateOf(error) !== SQLSTATE.uniqueViolation) throw error;
      if (unwritten.size > 1) for (const one of unwritten.each()) await this.writeAll(one);
    }
  }

  private async writeWaiting(): Promise<void> {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const { unwritten } = this;
    if (unwritten.size === 0) return;
    this.unwritten = new Unwritten();
    try {
      await this.writeAll(unwritten);
    } catch (error) {
      this.logger.warn({ err: error, msg: `${unwritten.size} assessments were not written now; they are written again from the payments` });
    }
  }
}
