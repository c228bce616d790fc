import { Problem } from '../platform/http/problem';
import type { Risk } from '../fraud/risk';
import type { Payment } from './payment';

/** 409: the payment's status does not allow what was asked. */
export class PaymentStateProblem extends Problem {
  constructor(payment: Payment, wanted: string) {
    const partly = payment.status === 'pending' && payment.amountReceivedMinor > 0n ? ' and partly paid' : '';
    super('state_conflict', `This payment is ${payment.status}${partly} and cannot be ${wanted}.`);
  }
}

/** 409 for a payment under review: people have to let it go before anything else makes it succeed. */
export function refuseHeld({ id, review }: Payment): void {
  if (review !== 'held') return;
  throw new Problem('state_conflict', `This payment is held for review. Release or reject it first: POST /v1/admin/risk/reviews/${id}/release or /reject.`);
}

/** 403: the fraud rules stop it. Nothing was created. */
export class PaymentBlocked extends Problem {
  constructor({ reasons }: Risk) {
    super('risk_blocked', `This payment is stopped: ${reasons.join('; ')}. Nothing was created.`);
  }
}
