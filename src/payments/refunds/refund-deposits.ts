import { Injectable } from '@nestjs/common';
import type { Risk } from '../../fraud/risk';
import type { CurrencyCode } from '../../money/currency';
import type { Tx } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { newId } from '../../platform/identifiers';
import type { Book } from '../../platform/outbox/outbox';
import { OrderRefund } from './paying/order-refund';
import type { Refund } from './refund';
import { RefundChanges } from './refund-changes';
import { refuseUnpayable } from './refund-destination';
import { DestinationProblem } from './refunds.errors';

/** A deposit that no payment took and that somebody of the staff wants to give back. */
export interface DepositRefund {
  book: Book;
  depositId: string;
  amountMinor: bigint;
  currency: CurrencyCode;
  /** The whole address for money that came by chain; empty for money that goes back the way it came. */
  destination: string;
  reason?: string;
  /** The person who asks for it, and who therefore cannot approve it. */
  requestedBy: string;
}

/** People decide on each of these, so no rule has to. */
const NO_RISK: Risk = { score: 0, decision: 'allow', reasons: [] };

/** Gives unmatched deposits back. */
@Injectable()
export class RefundDeposits {
  constructor(
    private readonly changes: RefundChanges,
    private readonly ordering: OrderRefund,
  ) {}

  /**
   * Holds a booked deposit (from `unmatched`) for a refund that somebody else has to approve. The caller has locked the deposit and made
   * it `refunding` in the same transaction; it becomes `refunded` once it is paid, and `open` again when the refund is rejected or fails.
   *
   * @throws Problem 422 for a destination that is missing or that money may not go to, 409 for money that this gateway cannot send back,
   *   503 `paused`.
   */
  async createForDeposit(tx: Tx, { book, requestedBy, ...deposit }: DepositRefund): Promise<Refund> {
    const { destination, currency } = deposit;
    if (currency === 'USDT' && destination === '' && book.livemode) {
      throw new DestinationProblem('required', 'is required: name the TRON address that the money goes back to');
    }
    if (currency !== 'USDT' && destination !== '') {
      throw new DestinationProblem('not_available', `is for USDT; ${currency} goes back the way it came`);
    }
    if (destination !== '') await refuseUnpayable(tx, destination);
    if (!this.ordering.canPay({ livemode: book.livemode, method: 'deposit', destination })) {
      throw new Problem('state_conflict', `This gateway is not set up to send ${currency} back the way it came.`);
    }
    await tx.query("select check_running('withdrawals', $1)", [book.clientId]);
    const now = new Date();
    return this.changes.open(tx, {
      clientId: book.clientId, livemode: book.livemode, id: newId('ref', now.getTime()), paymentId: null, depositId: deposit.depositId,
      status: 'requires_approval', amountMinor: deposit.amountMinor, currency, method: 'deposit',
      reason: deposit.reason ?? null, destination, requestedBy, approvalsRequired: 1, approvals: 0, risk: NO_RISK,
      transactionHash: null, failure: null, revision: 1n, createdAt: now, updatedAt: now,
    });
  }
}
