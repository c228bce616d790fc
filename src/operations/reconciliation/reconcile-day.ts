import { Injectable, Logger } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { Problem } from '../../platform/http/problem';
import { CompareBooks } from './compare-books';
import { DIFFERENCE_FOUND } from './comparison';
import { ReconciliationStore } from './reconciliation-store';
import { presentPart, type ReconciliationObject } from './reconciliations.dto';
import { reportDay } from './report-day';
import { RereadArrivals } from './reread-arrivals';
import { RereadPayouts } from './reread-payouts';

/** Compares what providers and the chain say of a day with what the books say, item by item, and names each difference. */
@Injectable()
export class ReconcileDay {
  private readonly logger = new Logger('Reconciliation');
  private readonly underWay = new Set<string>();

  constructor(
    private readonly books: CompareBooks,
    private readonly arrivals: RereadArrivals,
    private readonly payouts: RereadPayouts,
    private readonly store: ReconciliationStore,
    private readonly securityLog: SecurityLog,
  ) {}

  /**
   * Makes the comparison of a UTC day that has begun, in place of an earlier one. It changes no books; a difference is an answer, not an
   * error, and is told once as a critical security event. A day on which much arrived on the chain takes minutes: each address is read.
   *
   * @throws Problem 409 `state_conflict` while this instance is at it already
   */
  async make(day: string, livemode: boolean): Promise<ReconciliationObject> {
    const name = `${day} ${livemode ? 'live' : 'test'}`;
    if (this.underWay.has(name)) throw new Problem('state_conflict', 'This day is being compared right now. Ask for it a little later.');
    this.underWay.add(name);
    try {
      const made = await this.compare(day, livemode);
      await this.tell(name, made);
      return made;
    } finally {
      this.underWay.delete(name);
    }
  }

  private async compare(day: string, livemode: boolean): Promise<ReconciliationObject> {
    const bounds = reportDay(day, livemode);
    const compared = [
      ...(await this.books.compare(bounds)), ...(await this.arrivals.compare(bounds)), ...(await this.payouts.compare(bounds)),
    ];
    const differences = compared.reduce((sum, part) => sum + part.differences, 0);
    return this.store.keep(bounds, compared.map(presentPart), differences);
  }

  private async tell(name: string, { differences, parts }: ReconciliationObject): Promise<void> {
    if (differences === 0) {
      this.logger.log({ msg: `${name}: the books agree with what was told`, compared: parts.reduce((sum, { count }) => sum + count, 0) });
      return;
    }
    const { source, what, currency, details: [first] } = parts.find((part) => part.differences > 0)!;
    this.logger.error({ msg: `${name}: ${differences} differences between the books and what was told`, source, what, currency, first });
    await this.securityLog.write({
      kind: DIFFERENCE_FOUND,
      severity: 'critical',
      source: name,
      action: 'reported for people to look at; nothing was changed',
      details: { differences, first: { source, what, currency, ...first } },
    });
  }
}
