import type { Tx, UnitOfWork } from '../platform/database/unit-of-work';
import { NotFoundProblem } from '../platform/http/problem';
import { currentAccess } from '../platform/http/request-context';
import { paymentFromRow, type Payment, type PaymentRow } from './payment';

/** A payment of the caller's own book, inside a change. */
export async function findForChange(tx: Tx, id: string): Promise<Payment> {
  const { clientId, livemode } = currentAccess();
  const [row] = await tx.query<PaymentRow>('select * from payments where client_id = $1 and livemode = $2 and id = $3', [clientId, livemode, id]);
  if (!row) throw new NotFoundProblem('payment');
  return paymentFromRow(row);
}

/** A payment found from outside, with what a decision about it needs: its client's settings and the fate of the reference. */
export interface FoundPayment {
  payment: Payment;
  clientSettings: Record<string, unknown>;
  /** This money was credited, or kept as an unmatched deposit, before. */
  counted: boolean;
}

interface FoundRow extends PaymentRow {
  client_settings: Record<string, unknown>;
  counted: boolean;
}

/**
 * One query from a provider's words to a book: the reference leads, else our own id that the provider was given.
 * A reference leads to the payment that its money was credited to, whatever payment an event names beside it.
 */
const FIND = `
  with route as (
    select client_id, livemode, payment_id from provider_references
     where (provider = $1 and reference = $2) or (provider = 'cpgateway' and reference = $3)
     order by provider = 'cpgateway' limit 1
  )
  select p.*, case when p.livemode then c.live_settings else c.test_settings end as client_settings,
         is_counted(p.client_id, p.livemode, $1, $2) as counted
    from route join payments p on p.client_id = route.client_id and p.livemode = route.livemode and p.id = route.payment_id
    join clients c on c.id = p.client_id`;

/** The payment that a provider's words lead to, or undefined. */
export async function findByProvider(
  unitOfWork: UnitOfWork,
  provider: string,
  reference: string | undefined,
  paymentId: string | undefined,
): Promise<FoundPayment | undefined> {
  const [row] = await unitOfWork.read<FoundRow>('find_by_provider', FIND, [provider, reference ?? null, paymentId ?? null]);
  if (!row) return undefined;
  return { payment: paymentFromRow(row), clientSettings: row.client_settings, counted: row.counted };
}
