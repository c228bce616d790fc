import { Problem } from '../platform/http/problem';
import type { Risk } from '../fraud/risk';
import type { Withdrawal } from './withdrawal';

/** 409: the withdrawal's status does not allow what was asked. */
export class WithdrawalStateProblem extends Problem {
  constructor(withdrawal: Pick<Withdrawal, 'status'>, wanted: string) {
    super('state_conflict', `This withdrawal is ${withdrawal.status} and cannot be ${wanted}.`);
  }
}

/** 409: nobody approves what an analyst has not let go yet. */
export class WithdrawalHeld extends Problem {
  constructor({ id }: Pick<Withdrawal, 'id'>) {
    super('state_conflict', `This withdrawal is held for review. An analyst has to release it first: POST /v1/admin/risk/reviews/${id}/release.`);
  }
}

/** 403: the fraud rules stop it. */
export class WithdrawalBlocked extends Problem {
  constructor({ reasons }: Risk) {
    super('risk_blocked', `This withdrawal is stopped: ${reasons.join('; ')}. Nothing was held.`);
  }
}
