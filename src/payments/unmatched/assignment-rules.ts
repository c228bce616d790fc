import { Problem } from '../../platform/http/problem';
import { refuseWithoutItsPart } from '../admin/force-success-rules';
import type { Payment } from '../payment';
import { statusAfter } from '../payment-state';
import { PaymentStateProblem } from '../payments.errors';
import type { UnmatchedDeposit } from './unmatched-deposit';

/** Whether it is the part that this payment had received when it expired: the payment's receipts count it already. */
export function isOwnPart({ provider, paymentId }: UnmatchedDeposit, payment: Payment): boolean {
  return provider === 'cpgateway' && paymentId === payment.id && payment.status === 'expired';
}

/** 409 `state_conflict` for money that cannot be this payment's: of another book, mode or currency, or for a payment that takes none. */
export function refuseMisfit(deposit: UnmatchedDeposit, payment: Payment): void {
  const refuse = (detail: string) => {
    throw new Problem('state_conflict', detail);
  };
  if (deposit.booked && deposit.clientId !== payment.clientId) {
    refuse(`This money is booked for ${deposit.clientId} and cannot leave that book. Assign it to a payment of that client, or refund it.`);
  }
  if (deposit.livemode !== null && deposit.livemode !== payment.livemode) {
    const mode = modeOf(deposit.livemode);
    refuse(`This is ${mode} money and the payment is a ${modeOf(payment.livemode)} one. Assign it to a ${mode} payment, or refund it.`);
  }
  if (deposit.currency !== payment.payCurrency) {
    refuse(`This money is ${deposit.currency} and the payment is paid in ${payment.payCurrency}. Assign it to another, or refund it.`);
  }
  if (payment.status !== 'succeeded' && !statusAfter(payment.status, 'succeed')) throw new PaymentStateProblem(payment, 'credited');
  if (!isOwnPart(deposit, payment)) refuseWithoutItsPart(payment);
}

function modeOf(livemode: boolean): string {
  return livemode ? 'live' : 'test';
}
