import { Problem } from '../platform/http/problem';
import type { Payment } from './payment';

/** 409: the payment's status does not allow what was asked. */
export class PaymentStateProblem extends Problem {
  constructor(payment: Payment, wanted: string) {
    const partly = payment.status === 'pending' && payment.amountReceivedMinor > 0n ? ' and partly paid' : '';
    super('state_conflict', `This payment is ${payment.status}${partly} and cannot be ${wanted}.`);
  }
}
