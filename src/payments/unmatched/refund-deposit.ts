import { Injectable } from '@nestjs/common';
import { isCurrency } from '../../money/currency';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { ValidationProblem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { RefundDeposits } from '../refunds/refund-deposits';
import { ResolveDeposit } from './resolve-deposit';
import { lockOpenDeposit, type UnmatchedDeposit } from './unmatched-deposit';
import type { RefundDepositBody } from './unmatched.dto';
import type { UnmatchedObject } from './unmatched-presenter';

/** Gives money back that matched nothing. */
@Injectable()
export class RefundDeposit {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly refunds: RefundDeposits,
    private readonly resolving: ResolveDeposit,
  ) {}

  /**
   * Booked money is held for a refund that somebody else has to approve: the deposit is `refunding`, and `open` again if that fails. Money
   * that is in nobody's books was given back by hand, and is `refunded` on the word of whoever shows evidence of it.
   *
   * @throws Problem 404; 409 `state_conflict` or `stale_revision`; 422 for what the deposit lacks or does not take; 503 `paused`.
   */
  refund(id: string, body: RefundDepositBody): Promise<UnmatchedObject> {
    return this.unitOfWork.run(async (tx) => {
      const deposit = await lockOpenDeposit(tx.query, id, body.revision);
      return deposit.booked ? this.ask(tx, deposit, body) : this.note(tx, deposit, body);
    });
  }

  private async ask(tx: Tx, deposit: UnmatchedDeposit, body: RefundDepositBody): Promise<UnmatchedObject> {
    const { destination = '', evidence, reason } = body;
    const { id: depositId, clientId, livemode, amountMinor, currency } = deposit;
    if (clientId === null || livemode === null || !isCurrency(currency)) {
      throw new Error(`The deposit ${depositId} cannot be booked as it says.`);
    }
    if (evidence !== undefined) refuse('evidence', 'not_available', 'is for money that is not booked; this is given back through a refund');
    const answer = await this.resolving.resolve(tx, deposit, { status: 'refunding', reason });
    await this.refunds.createForDeposit(tx, {
      book: { clientId, livemode }, depositId, amountMinor, currency, destination, reason, requestedBy: currentSession().personId,
    });
    return answer;
  }

  private note(tx: Tx, deposit: UnmatchedDeposit, { destination, evidence, reason }: RefundDepositBody): Promise<UnmatchedObject> {
    if (destination !== undefined) refuse('destination', 'not_available', 'is for booked money; this was given back by hand');
    if (evidence === undefined) refuse('evidence', 'required', 'is required: this money is in no book, say what shows it was given back');
    return this.resolving.resolve(tx, deposit, { status: 'refunded', reason, evidence });
  }
}

function refuse(field: string, code: string, message: string): never {
  throw new ValidationProblem([{ field, code, message }]);
}
