import type { CurrencyCode } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { Problem, ValidationProblem } from '../../platform/http/problem';
import type { Risk } from '../../fraud/risk';
import type { Refund } from './refund';

/** 409: the refund's status does not allow what was asked. */
export class RefundStateProblem extends Problem {
  constructor(refund: Pick<Refund, 'status'>, wanted: string) {
    super('state_conflict', `This refund is ${refund.status} and cannot be ${wanted}.`);
  }
}

/** 422: more than is left of the payment. */
export class RefundTooLarge extends Problem {
  constructor(leftMinor: bigint, currency: CurrencyCode) {
    const some = `at most ${formatAmount(leftMinor, currency)} ${currency} can be refunded`;
    const left = leftMinor === 0n ? 'nothing is left to refund' : some;
    super('refund_exceeds_payment', `Of this payment ${left}; refunds that are under way count.`);
  }
}

/** 403: the rules stop it. */
export class RefundBlocked extends Problem {
  constructor(readonly risk: Risk) {
    super('risk_blocked', `This refund is stopped: ${risk.reasons.join('; ')}. Nothing was held.`);
  }
}

/** 422: the destination is missing, not allowed, or not one that money may go to. */
export class DestinationProblem extends ValidationProblem {
  constructor(code: 'required' | 'not_available' | 'invalid', message: string) {
    super([{ field: 'destination', code, message }]);
  }
}
