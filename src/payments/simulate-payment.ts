import { Injectable } from '@nestjs/common';
import { isCurrency } from '../money/currency';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work';
import { amountOfField } from '../platform/http/amounts';
import { currentAccess } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';
import type { Payment } from './payment';
import { changedPayment, changeFor, changeStatement, type PaymentChange } from './payment-change';
import { findForChange } from './payment-lookup';
import { type PaymentObject, presentPayment } from './payment-presenter';
import { paymentRulesOf } from './payment-rules';
import { type PaymentTrigger, statusAfter } from './payment-state';
import { PaymentStateProblem } from './payments.errors';
import type { SimulateBody } from './payments.dto';
import { type Arrival, settle } from './settlement';

const FINAL_CONFIRMATIONS = 19;

/** A payer and a provider for test keys: provokes what real ones do, by the same rules and through the same statements. */
@Injectable()
export class SimulatePayment {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Applied before it answers. */
  pay(id: string, body: SimulateBody): Promise<PaymentObject> {
    return this.unitOfWork.run(async (tx) => {
      const payment = await findForChange(tx, id);
      return presentPayment(await this.play(tx, payment, body));
    });
  }

  private async play(tx: Tx, payment: Payment, body: SimulateBody): Promise<Payment> {
    if (body.outcome === 'failed') return this.move(tx, payment, 'fail');
    if (body.outcome === 'timeout') return this.write(tx, { before: payment, after: { exception: 'unknown' }, at: new Date() }, 'left without an answer');
    if (body.outcome === 'reorganised') return this.move(tx, await this.move(tx, payment, 'process'), 'reorganise');
    if (body.confirmations < FINAL_CONFIRMATIONS) return this.move(tx, payment, 'process');
    const arrival = arrivalOf(payment, body);
    const settlement = settle(payment, arrival, paymentRulesOf(currentAccess().clientSettings));
    const paid = await this.write(tx, changeFor(payment, arrival, settlement, new Date()), 'paid');
    return body.outcome === 'duplicate' ? this.tellAgain(tx, paid, arrival) : paid;
  }

  /** The provider tells of the same money twice. The database says whether it was counted, as it does for a real provider. */
  private async tellAgain(tx: Tx, paid: Payment, { provider, reference }: Arrival): Promise<Payment> {
    const [{ counted }] = await tx.query<{ counted: boolean }>('select is_counted($1, $2, $3, $4) as counted', [
      paid.clientId, paid.livemode, provider, reference,
    ]);
    if (!counted) throw new Error('A simulated payment was not counted.');
    return paid;
  }

  private move(tx: Tx, before: Payment, trigger: PaymentTrigger): Promise<Payment> {
    const status = statusAfter(before.status, trigger);
    if (!status || before.amountReceivedMinor > 0n) throw new PaymentStateProblem(before, trigger === 'fail' ? 'failed' : 'processed');
    return this.write(tx, { before, after: { status, exception: null }, at: new Date() }, status);
  }

  private async write(tx: Tx, change: PaymentChange, wanted: string): Promise<Payment> {
    const { before, after } = change;
    if (!change.arrival && after.exception === 'unknown' && before.status !== 'pending') throw new PaymentStateProblem(before, wanted);
    const { text, values } = changeStatement(change);
    await tx.query(text, values);
    return changedPayment(change);
  }
}

function arrivalOf(payment: Payment, body: SimulateBody): Arrival {
  return {
    provider: 'simulator',
    reference: newId('tr'),
    amountMinor: amountOf(payment, body.amount),
    currency: payment.payCurrency,
    occurredAt: new Date(),
  };
}

/** What is due still; a payment that has been paid is paid once more in full. */
function amountOf(payment: Payment, text: string | undefined): bigint {
  const due = payment.payAmountMinor - payment.amountReceivedMinor;
  if (text === undefined || !isCurrency(payment.payCurrency)) return due > 0n ? due : payment.payAmountMinor;
  return amountOfField('amount', text, payment.payCurrency);
}
