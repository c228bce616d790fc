import type { Query } from '../../auth/decisions/signed-decisions';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem } from '../../platform/http/problem';
import { paymentFromRow, type Payment, type PaymentRow } from '../payment';
import { type PaymentRules, paymentRulesOf } from '../payment-rules';

/** A payment of any client, with its client's rules for money that does not come as asked. */
export interface StaffPayment {
  payment: Payment;
  rules: PaymentRules;
}

const FIND = `
  select p.*, case when p.livemode then c.live_settings else c.test_settings end as client_settings
    from payments p join clients c on c.id = p.client_id where p.id = $1`;

/** A payment of any client, for staff; locked until the transaction ends where asked. 404 when there is none. */
export async function findForStaff(query: Query, id: string, lock: boolean): Promise<StaffPayment> {
  const sql = lock ? `${FIND} for no key update of p` : FIND;
  const [row] = await query<PaymentRow & { client_settings: Record<string, unknown> }>(sql, [id]);
  if (!row) throw new NotFoundProblem('payment');
  return { payment: paymentFromRow(row), rules: paymentRulesOf(row.client_settings) };
}

/** Reads outside of any transaction. */
export function outside(unitOfWork: UnitOfWork): Query {
  return (sql, values = []) => unitOfWork.read('', sql, values);
}
