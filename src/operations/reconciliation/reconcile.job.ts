import { Injectable } from '@nestjs/common';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';
import { ReconcileDay } from './reconcile-day';
import { ReconciliationStore } from './reconciliation-store';
import { dayBefore } from './report-day';

/** Compares each day soon after it is over, in both modes, and days that were missed while nothing was running, up to a week. */
@Injectable()
@Job('reconciliation.daily')
export class ReconcileJob implements JobHandler {
  readonly job = 'reconciliation.daily';
  readonly schedule = '30 0 * * *';

  constructor(
    private readonly reconciling: ReconcileDay,
    private readonly store: ReconciliationStore,
  ) {}

  /** What was made before a failure is not made again when the queue tries once more. */
  async run(): Promise<void> {
    const yesterday = dayBefore(new Date());
    for (const livemode of [true, false]) {
      for (const day of await this.store.undone(yesterday, livemode)) await this.reconciling.make(day, livemode);
    }
  }
}
