import type { Query } from '../../auth/decisions/signed-decisions';
import { NotFoundProblem } from '../../platform/http/problem';
import type { Book } from '../../platform/outbox/outbox';
import { paymentFromRow, type Payment, type PaymentRow } from '../payment';
import { type Refund, refundFromRow, type RefundRow } from './refund';

const LOCK_PAYMENT = 'select * from payments where client_id = $1 and livemode = $2 and id = $3 for no key update';
const LOCK_DEPOSIT = 'select 1 from unmatched_deposits where id = $1 for no key update';
const FIND = 'select * from refunds where client_id = $1 and livemode = $2 and id = $3';

/** A payment of one book, locked until the transaction ends. */
export async function lockPayment(query: Query, { clientId, livemode }: Book, id: string): Promise<Payment> {
  const [row] = await query<PaymentRow>(LOCK_PAYMENT, [clientId, livemode, id]);
  if (!row) throw new NotFoundProblem('payment');
  return paymentFromRow(row);
}

/** A refund of one book. Another book's is not found. */
export async function findRefundInBook(query: Query, { clientId, livemode }: Book, id: string): Promise<Refund> {
  return found(await query<RefundRow>(FIND, [clientId, livemode, id]));
}

/** A refund of any book, for staff. */
export async function findRefund(query: Query, id: string): Promise<Refund> {
  return found(await query<RefundRow>('select * from refunds where id = $1', [id]));
}

/**
 * A refund of any book, locked until the transaction ends. What it gives back is locked first, as everybody does who changes both, and
 * the ledger's accounts come last.
 */
export async function lockRefund(query: Query, id: string): Promise<Refund> {
  const { clientId, livemode, paymentId, depositId } = await findRefund(query, id);
  if (paymentId) await query(LOCK_PAYMENT, [clientId, livemode, paymentId]);
  else await query(LOCK_DEPOSIT, [depositId]);
  return found(await query<RefundRow>(`${FIND} for no key update`, [clientId, livemode, id]));
}

function found([row]: RefundRow[]): Refund {
  if (!row) throw new NotFoundProblem('refund');
  return refundFromRow(row);
}
