import { Injectable } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { findForStaff, type StaffPayment } from '../admin/staff-lookup';
import { changeFor, changeStatement } from '../payment-change';
import { creditAnyway, type Settlement, takeBackPart } from '../settlement';
import { isOwnPart, refuseMisfit, refuseShort } from './assignment-rules';
import { ResolveDeposit } from './resolve-deposit';
import { lockOpenDeposit, type UnmatchedDeposit } from './unmatched-deposit';
import type { AssignBody } from './unmatched.dto';
import type { UnmatchedObject } from './unmatched-presenter';

/** Whether the provider's name for this money leads elsewhere, or was credited in part, so that it cannot name this credit too. */
const IS_NAME_TAKEN = `
  select exists (select from provider_references
                  where provider = $1 and reference = $2 and (payment_id <> $3 or is_credited($1, $2))) as taken`;

/** Credits money that matched nothing to the payment that staff say it is for: all of it, however late. */
@Injectable()
export class AssignDeposit {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resolving: ResolveDeposit,
  ) {}

  /**
   * One transaction: the deposit is assigned, the payment credited, the money moved, and both are told and audited.
   *
   * @throws Problem 404 for either; 409 `state_conflict` or `stale_revision` when the deposit was resolved or has changed, when the money
   *   is not of the payment's book or currency, when the payment can take none, or when it would succeed with
   *   less than its merchant takes.
   */
  assign(id: string, { payment: paymentId, reason, revision }: AssignBody): Promise<UnmatchedObject> {
    return this.unitOfWork.run(async (tx) => {
      const found = await findForStaff(tx.query, paymentId, true);
      const deposit = await lockOpenDeposit(tx.query, id, revision);
      refuseMisfit(deposit, found.payment);
      const answer = await this.resolving.resolve(tx, deposit, { status: 'assigned', reason, payment: found.payment });
      await this.credit(tx, deposit, found);
      return answer;
    });
  }

  private async credit(tx: Tx, deposit: UnmatchedDeposit, { payment, rules }: StaffPayment): Promise<void> {
    const name = await nameOf(tx, deposit, payment.id);
    const arrival = { ...name, amountMinor: deposit.amountMinor, currency: deposit.currency, occurredAt: deposit.receivedAt };
    const decided = isOwnPart(deposit, payment) ? takeBackPart(payment) : creditAnyway(payment, arrival, rules);
    refuseShort(payment, decided, rules);
    const settlement = deposit.booked ? fromUnmatched(decided) : decided;
    const { text, values } = changeStatement(changeFor(payment, arrival, settlement, new Date()));
    await tx.query(text, values);
  }
}

/** What the payment's receipt calls it: the provider's name, by which it is known when it is told again, else our own for the deposit. */
async function nameOf(
  tx: Tx, { id, provider, reference }: UnmatchedDeposit, paymentId: string,
): Promise<{ provider: string; reference: string }> {
  const [row] = await tx.query<{ taken: boolean }>(IS_NAME_TAKEN, [provider, reference, paymentId]);
  return row!.taken ? { provider: 'cpgateway', reference: id } : { provider, reference };
}

/** Money that is booked already does not come from the provider a second time. */
function fromUnmatched(settlement: Settlement): Settlement {
  const movements = settlement.movements.map((movement) =>
    (movement.debit === 'provider' ? { ...movement, debit: 'unmatched' as const } : movement));
  return { ...settlement, movements };
}
