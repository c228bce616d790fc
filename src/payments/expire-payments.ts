import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SQLSTATE, sqlStateOf } from '../platform/database/database-errors';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { Sweeper } from '../platform/jobs/sweeper';
import { isCurrency } from '../money/currency';
import { newId } from '../platform/identifiers';
import { paymentFromRow, type Payment, type PaymentRow } from './payment';
import { changeStatement } from './payment-change';

/**
 * A payment on chain waits until the chain has been seen up to its last moment: what has arrived by then is not yet known before. A test
 * payment whose provider is silent waits until it has been asked (see ResolveUnknown): its money may have come in time.
 */
const TO_EXPIRE = `
  select p.* from payments p
   where p.status = 'pending' and p.expires_at <= now() and (p.livemode or p.exception is distinct from 'unknown') and not exists (
     select from watched_addresses w
      where w.client_id = p.client_id and w.livemode = p.livemode and w.payment_id = p.id and w.complete_until < p.expires_at)
   order by p.expires_at limit $1`;

const EVERY_MS = 1_000;
const BATCH = 100;

/** Ends payments whose time is over. A part that was waiting for its rest goes to the unmatched deposits, for people to decide on. */
@Injectable()
export class ExpirePayments implements OnApplicationBootstrap {
  private readonly logger = new Logger(ExpirePayments.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every('payments.expire', EVERY_MS, () => this.sweep());
  }

  /** Expires what is due, each payment in its own transaction; answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const rows = await this.unitOfWork.read<PaymentRow>('payments_to_expire', TO_EXPIRE, [BATCH]);
    let expired = 0;
    for (const row of rows) if (await this.expire(paymentFromRow(row))) expired += 1;
    return rows.length === BATCH && expired > 0;
  }

  /** Answers whether the payment is out of the way; one that cannot be expired keeps none of the others. */
  private async expire(before: Payment): Promise<boolean> {
    try {
      await this.unitOfWork.once(changeStatement({ before, after: { status: 'expired' }, waiting: waitingPart(before), at: new Date() }));
      return true;
    } catch (error) {
      // Paid, cancelled or expired by another instance in the meantime: it is no longer ours to expire.
      if (sqlStateOf(error) === SQLSTATE.stale) return true;
      this.logger.error({ err: error, msg: `payment ${before.id} could not be expired; will try again` });
      return false;
    }
  }
}

/** What an underpaid payment has received so far, to be moved from `pending` to `unmatched` under a name of its own. */
function waitingPart(payment: Payment) {
  if (payment.amountReceivedMinor === 0n || !isCurrency(payment.payCurrency)) return undefined;
  return { provider: 'cpgateway', reference: newId('tr'), amountMinor: payment.amountReceivedMinor, currency: payment.payCurrency, reason: 'underpaid' as const };
}
