import { Injectable } from '@nestjs/common';
import { CardTestingGuard, type Stopped } from '../fraud/guard/card-testing-guard';
import { isCurrency } from '../money/currency';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work';
import { amountOfField } from '../platform/http/amounts';
import { currentAccess } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';
import type { Payment } from './payment';
import { changedPayment, changeFor, changeStatement, type PaymentChange } from './payment-change';
import { PaymentReader } from './payment-reader';
import { findForChange } from './payment-lookup';
import { type PaymentObject, presentPayment } from './payment-presenter';
import { paymentRulesOf } from './payment-rules';
import { type PaymentStatus, type PaymentTrigger, statusAfter } from './payment-state';
import { PaymentStateProblem } from './payments.errors';
import type { SimulateBody } from './payments.dto';
import { type Arrival, settle } from './settlement';

const FINAL_CONFIRMATIONS = 19;

/** A payer and a provider for test keys: provokes what real ones do, by the same rules and through the same statements. */
@Injectable()
export class SimulatePayment {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly guard: CardTestingGuard,
    private readonly payments: PaymentReader,
  ) {}

  /** Applied before it answers. */
  async pay(id: string, body: SimulateBody): Promise<PaymentObject> {
    const asked = await this.payments.find(id);
    const { customer, payer } = asked;
    // Before the transaction: whoever holds a connection must not wait for a second.
    await this.guard.refuseStopped(asked, { card: body.card_fingerprint, customer: customer ?? undefined, ip: payer?.ip });
    let paid!: Payment;
    let stopped: Stopped = null;
    const answer = await this.unitOfWork.run(async (tx) => {
      const payment = await findForChange(tx, id);
      paid = await this.play(tx, payment, body, (found) => { stopped = found; });
      return presentPayment(paid);
    });
    await this.guard.tell(paid, paid.id, stopped);
    return answer;
  }

  private async play(tx: Tx, payment: Payment, body: SimulateBody, stops: (stopped: Stopped) => void): Promise<Payment> {
    if (body.outcome === 'failed') return this.fail(tx, payment, body.card_fingerprint, stops);
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

  private async fail(tx: Tx, before: Payment, card: string | undefined, stops: (stopped: Stopped) => void): Promise<Payment> {
    refuseUnmovable(before, 'fail');
    const at = new Date();
    const change = { before, after: { status: 'failed', exception: null }, failure: this.guard.failureOf(before, card, at), at } as const;
    const { text, values } = changeStatement(change);
    const [row] = await tx.query<{ stopped: Stopped }>(text, values);
    stops(row!.stopped);
    return changedPayment(change);
  }

  private move(tx: Tx, before: Payment, trigger: PaymentTrigger): Promise<Payment> {
    const status = refuseUnmovable(before, trigger);
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

/** The status that the trigger leads to; 409 where it leads nowhere. */
function refuseUnmovable(before: Payment, trigger: PaymentTrigger): PaymentStatus {
  const status = statusAfter(before.status, trigger);
  if (!status || before.amountReceivedMinor > 0n) throw new PaymentStateProblem(before, trigger === 'fail' ? 'failed' : 'processed');
  return status;
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
