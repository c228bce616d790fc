import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SQLSTATE, sqlStateOf } from '../platform/database/database-errors';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { Sweeper } from '../platform/jobs/sweeper';
import { isCurrency } from '../money/currency';
import { newId } from '../platform/identifiers';
import { paymentFromRow, type Payment, type PaymentRow } from './payment';
import { changeStatement } from './payment-change';

const EVERY_MS = 1_000;
const BATCH = 100;

/** Ends payments whose time is over. A part that was waiting for its rest goes to the unmatched deposits, for people to decide on. */
@Injectable()
export class ExpirePayments implements OnApplicationBootstrap {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every('payments.expire', EVERY_MS, () => this.sweep());
  }

  /** Expires what is due, each payment in its own transaction; answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const rows = await this.unitOfWork.read<PaymentRow>(
      'payments_to_expire',
      `select * from payments where status = 'pending' and expires_at <= now() order by expires_at limit $1`,
      [BATCH],
    );
    for (const row of rows) await this.expire(paymentFromRow(row));
    return rows.length === BATCH;
  }

  private async expire(before: Payment): Promise<void> {
    try {
      await this.unitOfWork.once(changeStatement({ before, after: { status: 'expired' }, waiting: waitingPart(before), at: new Date() }));
    } catch (error) {
      // Paid, cancelled or expired by another instance in the meantime: it is no longer ours to expire.
      if (sqlStateOf(error) !== SQLSTATE.stale) throw error;
    }
  }
}

/** What an underpaid payment has received so far, to be moved from `pending` to `unmatched` under a name of its own. */
function waitingPart(payment: Payment) {
  if (payment.amountReceivedMinor === 0n || !isCurrency(payment.payCurrency)) return undefined;
  return { provider: 'cpgateway', reference: newId('tr'), amountMinor: payment.amountReceivedMinor, currency: payment.payCurrency };
}
