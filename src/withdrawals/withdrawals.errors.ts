import { Problem } from '../platform/http/problem';
import type { Withdrawal } from './withdrawal';

/** 409: the withdrawal's status does not allow what was asked. */
export class WithdrawalStateProblem extends Problem {
  constructor(withdrawal: Pick<Withdrawal, 'status'>, wanted: string) {
    super('state_conflict', `This withdrawal is ${withdrawal.status} and cannot be ${wanted}.`);
  }
}
