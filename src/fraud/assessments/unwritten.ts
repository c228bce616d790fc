import type { PaymentQuestion } from '../signals/payment-context';
import { type Count, NONE } from '../signals/running-counter';
import { type Assessment, isSmallAmount, type KeptRow, keptRow } from './assessment';

type Book = Pick<PaymentQuestion, 'clientId' | 'livemode'>;
const keyOf = (kind: string, { clientId, livemode }: Book, value = '') => `${kind} ${clientId} ${livemode} ${value}`;

/** Assessments of payments that were let through and wait to be written, and what somebody who reads the database would not see of them. */
export class Unwritten {
  private rows: KeptRow[] = [];
  private readonly counts = new Map<string, Count>();

  get size(): number {
    return this.rows.length;
  }

  add(assessment: Assessment): void {
    this.rows.push(keptRow(assessment));
    if (!assessment.counted) return;
    const small = isSmallAmount(assessment);
    this.count(keyOf('client', assessment), small);
    if (assessment.counted.domain) this.count(keyOf('domain', assessment, assessment.counted.domain), small);
  }

  /** All of them; nothing waits then. */
  take(): KeptRow[] {
    const { rows } = this;
    this.rows = [];
    this.counts.clear();
    return rows;
  }

  /** How many of them are of the same client, and have the same domain of the e-mail there. */
  countsFor(question: PaymentQuestion): { client: Count; domain: Count } {
    const { domain } = question;
    return {
      client: this.counts.get(keyOf('client', question)) ?? NONE, domain: (domain && this.counts.get(keyOf('domain', question, domain))) || NONE,
    };
  }

  private count(key: string, small: boolean): void {
    const before = this.counts.get(key) ?? NONE;
    this.counts.set(key, { all: before.all + 1, small: before.small + (small ? 1 : 0) });
  }
}
