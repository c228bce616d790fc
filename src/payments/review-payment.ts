import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type ReviewSubject, ReviewSubjects } from '../fraud/review/review-subjects';
import { isCurrency } from '../money/currency';
import type { Tx } from '../platform/database/unit-of-work';
import { Problem } from '../platform/http/problem';
import { newId } from '../platform/identifiers';
import type { Book } from '../platform/outbox/outbox';
import { type Payment, paymentFromRow, type PaymentRow } from './payment';
import { changeStatement, type PaymentChange } from './payment-change';
import { statusAfter } from './payment-state';
import { PaymentStateProblem } from './payments.errors';
import { isPaidUnderReview, release } from './settlement';

const LOCK = 'select * from payments where client_id = $1 and livemode = $2 and id = $3 for no key update';

/** What a review means for a payment: its money waits in `pending` until it is released, and is given back when it is rejected. */
@Injectable()
export class ReviewPayment implements ReviewSubject, OnModuleInit {
  readonly kind = 'payment';

  constructor(private readonly subjects: ReviewSubjects) {}

  onModuleInit(): void {
    this.subjects.register(this);
  }

  /** What was paid meanwhile becomes the merchant's; what was not can be paid like any other. */
  async release(tx: Tx, book: Book, id: string): Promise<void> {
    const before = await lockHeld(tx, book, id);
    const settlement = isPaidUnderReview(before) ? release(before) : undefined;
    const settled = settlement && { status: settlement.status, exception: settlement.exception, feeMinor: settlement.feeMinor };
    await write(tx, { before, after: { ...settled, review: 'released' }, settlement, at: new Date() });
  }

  /** What was paid meanwhile becomes an unmatched deposit that wishes to be refunded; what comes later does too. */
  async reject(tx: Tx, book: Book, id: string): Promise<void> {
    const before = await lockHeld(tx, book, id);
    const status = statusAfter(before.status, 'reject');
    if (!status) throw new PaymentStateProblem(before, 'rejected');
    await write(tx, { before, after: { status, review: 'rejected' }, waiting: paidPart(before), at: new Date() });
  }
}

async function lockHeld(tx: Tx, { clientId, livemode }: Book, id: string): Promise<Payment> {
  const [row] = await tx.query<PaymentRow>(LOCK, [clientId, livemode, id]);
  if (row?.review !== 'held') throw new Problem('state_conflict', 'This payment is not held any more.');
  return paymentFromRow(row);
}

function paidPart({ amountReceivedMinor, payCurrency }: Payment): PaymentChange['waiting'] {
  if (amountReceivedMinor === 0n || !isCurrency(payCurrency)) return undefined;
  return { provider: 'cpgateway', reference: newId('tr'), amountMinor: amountReceivedMinor, currency: payCurrency, reason: 'closed_payment' };
}

async function write(tx: Tx, change: PaymentChange): Promise<void> {
  const { text, values } = changeStatement(change);
  await tx.query(text, values);
}
