import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { changedPayment, changeStatement, type PaymentChange } from './payment-change';
import { findForChange } from './payment-lookup';
import { type PaymentObject, presentPayment } from './payment-presenter';
import { statusAfter } from './payment-state';
import { PaymentStateProblem } from './payments.errors';

/** Cancels a payment that nobody has paid; money that comes later goes to the unmatched deposits. */
@Injectable()
export class CancelPayment {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** 404 when it is not the caller's, 409 when it is paid, under way or over. */
  cancel(id: string): Promise<PaymentObject> {
    return this.unitOfWork.run(async (tx) => {
      const before = await findForChange(tx, id);
      const status = statusAfter(before.status, 'cancel');
      // A part that waits for its rest is money on our books: it may not vanish from the payment's sight.
      if (!status || before.amountReceivedMinor > 0n) throw new PaymentStateProblem(before, 'canceled');
      const change: PaymentChange = { before, after: { status, exception: null }, at: new Date() };
      const { text, values } = changeStatement(change);
      await tx.query(text, values);
      return presentPayment(changedPayment(change));
    });
  }
}
