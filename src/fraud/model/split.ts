import { dayOf } from './facts';
import type { LabelledPayment } from './history';

/** Which days are for learning and which for measuring. Days are UTC days counted from 1970. */
export interface SplitDays {
  trainStart: number;
  trainDays: number;
  delayDays: number;
  testDays: number;
}

type Row = Pick<LabelledPayment, 'at' | 'customer' | 'isFraud'>;
type Part = 'train' | 'test' | 'neither';

/**
 * Sorts payments, in the order of time, into training and test, as the Fraud Detection Handbook does (chapter 5, get_train_test_set):
 * customers with a fraud in the training are left out of the test, and on each day of the test also those with a fraud on the day that the
 * delay makes the newest known one.
 */
export class Split {
  private readonly firstFraudDay = new Map<string, number>();

  constructor(private readonly days: SplitDays) {}

  /** The day after the last one of the test. */
  get end(): number {
    const { trainStart, trainDays, delayDays, testDays } = this.days;
    return trainStart + trainDays + delayDays + testDays;
  }

  /** The part of a payment. Every payment has to be shown once, whatever its part. */
  partOf({ at, customer, isFraud }: Row): Part {
    const { trainStart, trainDays, delayDays } = this.days;
    const day = dayOf(at);
    const known = this.firstFraudDay.get(customer) ?? Infinity;
    if (isFraud && day >= trainStart && known === Infinity) this.firstFraudDay.set(customer, day);
    if (day < trainStart || day >= this.end) return 'neither';
    if (day < trainStart + trainDays) return 'train';
    if (day < trainStart + trainDays + delayDays) return 'neither';
    return known <= this.newestKnownDay(day) ? 'neither' : 'test';
  }

  /** All of the training is known when the test begins; after it one day more a day. */
  private newestKnownDay(day: number): number {
    const { trainStart, trainDays, delayDays } = this.days;
    return Math.max(trainStart + trainDays - 1, day - delayDays - 1);
  }
}
