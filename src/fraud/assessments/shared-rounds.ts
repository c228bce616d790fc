import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { type PaymentContext, type PaymentQuestion, questionColumns } from '../signals/payment-context';
import { type Assessment, keptColumns } from './assessment';

/** So many looks in one round trip. */
const TOGETHER = 16;
/** So long an assessment waits for a look to go along with. */
const WAIT_MS = 10;
const parameters = (columns: unknown[][]) => columns.map((_, at) => `$${at + 1}`).join(', ');
const KEEP = `select keep_assessments(${parameters(keptColumns([]))})`;
const ROUND = `select * from risk_round(${parameters([...keptColumns([]), ...questionColumns([])])})`;

/** A look that waits for its round trip. */
interface Asked {
  question: PaymentQuestion;
  resolve(context: PaymentContext): void;
  reject(error: unknown): void;
}

/**
 * The round trips that payments share. What several of them want to know goes to the database together, and with it, at once after
 * they were created, the assessments of those that were let through: starting a statement costs more than a payment more in it.
 * Whoever is alone never waits. There is one at a time: a look beside one that
 * is still writing would not see it. What a crash loses of them is written again from the payments themselves; see MissingAssessments.
 */
@Injectable()
export class SharedRounds implements BeforeApplicationShutdown {
  private readonly logger = new Logger(SharedRounds.name);
  private asked: Asked[] = [];
  private kept: Assessment[] = [];
  private waiting?: NodeJS.Timeout;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Reads what a payment is decided on. All that this instance has let through before counts. */
  look(question: PaymentQuestion): Promise<PaymentContext> {
    return new Promise((resolve, reject) => {
      this.asked.push({ question, resolve, reject });
      void this.next(() => this.run());
    });
  }

  /** Writes an assessment of what was created, soon; nobody waits for it. */
  keep(assessment: Assessment): void {
    this.kept.push(assessment);
    this.waiting ??= setTimeout(() => void this.flush(), WAIT_MS);
  }

  /** Writes what waits to be written; what is under way is written then too. */
  flush(): Promise<void> {
    return this.next(async () => {
      const kept = this.take();
      if (kept.length > 0) await this.tryToWrite(kept);
    });
  }

  /** Writes these now, each once: one that is written already stays as it is. */
  async write(assessments: readonly Assessment[]): Promise<void> {
    try {
      await this.unitOfWork.read('keep_assessments', KEEP, keptColumns(assessments));
    } catch (error) {
      if (sqlStateOf(error) !== SQLSTATE.uniqueViolation) throw error;
      if (assessments.length > 1) for (const each of assessments) await this.write([each]);
    }
  }

  /** Nothing waits when the process ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private async run(): Promise<void> {
    // The look that this was queued for may have gone along with the one before.
    if (this.asked.length > 0) await this.round(this.asked.splice(0, TOGETHER), this.take());
  }

  /** Work that never fails, after all that was begun before. */
  private next(work: () => Promise<void>): Promise<void> {
    this.last = this.last.then(work);
    return this.last;
  }

  private async round(asked: readonly Asked[], kept: readonly Assessment[]): Promise<void> {
    try {
      const values = [...keptColumns(kept), ...questionColumns(asked.map(({ question }) => question))];
      const contexts = await this.unitOfWork.read<PaymentContext & QueryResultRow>('risk_round', ROUND, values);
      asked.forEach(({ resolve }, at) => resolve(contexts[at]!));
    } catch (error) {
      // Whichever of them it was: nobody must fail for what others ask or have left.
      if (kept.length > 0) await this.tryToWrite(kept);
      if (kept.length > 0 || asked.length > 1) for (const each of asked) await this.round([each], []);
      else asked[0]!.reject(error);
    }
  }

  private take(): Assessment[] {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const { kept } = this;
    this.kept = [];
    return kept;
  }

  private async tryToWrite(kept: readonly Assessment[]): Promise<void> {
    try {
      await this.write(kept);
    } catch (error) {
      this.logger.warn({ err: error, msg: `${kept.length} assessments were not written now; they are written again from the payments` });
    }
  }
}
