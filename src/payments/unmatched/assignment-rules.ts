import { Problem } from '../../platform/http/problem';
import { refuseWithoutItsPart } from '../admin/force-success-rules';
import { formatAmount } from '../../money/money';
import type { Payment } from '../payment';
import { type PaymentRules, toleranceMinor } from '../payment-rules';
import { statusAfter } from '../payment-state';
import { PaymentStateProblem, refuseHeld } from '../payments.errors';
import type { Settlement } from '../settlement';
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
  refuseHeld(payment);
  if (payment.status !== 'succeeded' && !statusAfter(payment.status, 'succeed')) throw new PaymentStateProblem(payment, 'credited');
  if (!isOwnPart(deposit, payment)) refuseWithoutItsPart(payment);
}

/**
 * 409 `state_conflict` when a payment would succeed with less than was asked for and its merchant does not take what comes: money that
 * arrived is nobody's to lose, but one person's word does not make a part the whole.
 */
export function refuseShort(payment: Payment, after: Settlement, rules: PaymentRules): void {
  if (payment.status === 'succeeded' || after.status !== 'succeeded' || rules.underpaid === 'credit') return;
  if (after.amountReceivedMinor >= payment.payAmountMinor - toleranceMinor(rules, payment.method, payment.payCurrency)) return;
  const shown = (minor: bigint) => `${formatAmount(minor, payment.payCurrency)} ${payment.payCurrency}`;
  throw new Problem('state_conflict',
    `With this the payment would have ${shown(after.amountReceivedMinor)} of ${shown(payment.payAmountMinor)}, and its merchant does not take less than that. `
    + 'Refund it, or have the merchant set payment_rules.underpaid to credit first.');
}

function modeOf(livemode: boolean): string {
  return livemode ? 'live' : 'test';
}
