import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import { DecideRefund } from './admin/decide-refund';
import { RefundChanges } from './refund-changes';
import { findRefundInBook, lockRefund } from './refund-lookup';
import { presentRefund, type RefundObject } from './refund-presenter';
import type { SimulateRefundBody } from './refunds.dto';
import { RefundStateProblem } from './refunds.errors';

const VOICE = `
  insert into decisions (client_id, livemode, subject_id, decision, person_id, requested_by, revision, amount_minor, currency, destination,
                         simulated)
  select client_id, livemode, id, $4, 'simulator', requested_by, revision, amount_minor, currency, destination, true
    from refunds where client_id = $1 and livemode = $2 and id = $3`;
const PLAN = `
  insert into simulated_plans (client_id, livemode, subject_id, outcome) values ($1, $2, $3, $4)
  on conflict (client_id, livemode, subject_id) do update set outcome = excluded.outcome`;

/** Staff of straw for test keys: what they decide goes the same way, with the same checks of the database, as what people do. */
@Injectable()
export class SimulateRefund {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly decisions: DecideRefund,
    private readonly changes: RefundChanges,
  ) {}

  /** Decides on a test refund that waits for staff, and says how its payout is to end; 409 for one that does not wait. */
  decide(id: string, { decision, payout }: SimulateRefundBody): Promise<RefundObject> {
    return this.unitOfWork.run(async (tx) => {
      const { clientId, livemode } = await findRefundInBook(tx.query, currentAccess(), id);
      const before = await lockRefund(tx.query, id);
      if (before.status !== 'requires_approval') throw new RefundStateProblem(before, 'decided on');
      await tx.query(PLAN, [clientId, livemode, id, payout]);
      await tx.query(VOICE, [clientId, livemode, id, decision]);
      const after = decision === 'reject'
        ? await this.changes.move(tx, before, 'reject', { failure: 'rejected by the simulator' })
        : await this.decisions.approved(tx, before);
      return presentRefund(after);
    });
  }
}
