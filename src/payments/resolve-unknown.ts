import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { newId } from '../platform/identifiers';
import { Sweeper } from '../platform/jobs/sweeper';
import { changeFor, changeStatement } from './payment-change';
import { paymentFromRow, type PaymentRow } from './payment';
import { paymentRulesOf } from './payment-rules';
import { settle } from './settlement';
import { decidingAgain } from './write-change';

const EVERY_MS = 5_000;
const BATCH = 50;
/** How long a simulated provider keeps silent before it is asked. */
const SILENT_SECONDS = 60;

const DUE = `
  select client_id, id from payments
   where exception = 'unknown' and not livemode and updated_at <= now() - make_interval(secs => $1) order by updated_at limit $2`;
const FIND = `
  select p.*, c.test_settings as client_settings from payments p join clients c on c.id = p.client_id
   where p.client_id = $1 and not p.livemode and p.id = $2 and p.exception = 'unknown'`;

/**
 * Finds out what became of test payments whose provider gave no answer: the simulated one had been paid. It is asked after a minute,
 * which the test clock can make pass.
 */
@Injectable()
export class ResolveUnknown implements OnApplicationBootstrap {
  private readonly logger = new Logger(ResolveUnknown.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every('payments.unknown', EVERY_MS, () => this.sweep());
  }

  /** Resolves what has been silent for long enough; answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const due = await this.unitOfWork.read<{ client_id: string; id: string }>('payments_unknown', DUE, [SILENT_SECONDS, BATCH]);
    let resolved = 0;
    for (const { client_id: clientId, id } of due) {
      try {
        await decidingAgain(() => this.resolve(clientId, id));
        resolved += 1;
      } catch (error) {
        this.logger.error({ err: error, msg: `payment ${id} could not be resolved; will try again` });
      }
    }
    return due.length === BATCH && resolved > 0;
  }

  private async resolve(clientId: string, id: string): Promise<void> {
    const [row] = await this.unitOfWork.read<PaymentRow & { client_settings: Record<string, unknown> }>('find_unknown_payment', FIND, [clientId, id]);
    if (!row) return;
    const payment = paymentFromRow(row);
    const at = new Date();
    const amountMinor = payment.payAmountMinor - payment.amountReceivedMinor;
    // The money came when the provider fell silent, in time or not; the payment has not changed since, nor expired.
    const arrival = { provider: 'simulator', reference: newId('tr'), amountMinor, currency: payment.payCurrency, occurredAt: payment.updatedAt };
    await this.unitOfWork.once(changeStatement(changeFor({ ...payment, exception: null }, arrival, settle(payment, arrival, paymentRulesOf(row.client_settings)), at)));
  }
}
