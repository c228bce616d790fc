import type { Query } from '../auth/decisions/signed-decisions';
import { NotFoundProblem } from '../platform/http/problem';
import type { Book } from '../platform/outbox/outbox';
import { type Withdrawal, withdrawalFromRow, type WithdrawalRow } from './withdrawal';

/** A withdrawal of one book; locked until the transaction ends where asked. Another book's is not found. */
export async function findInBook(query: Query, { clientId, livemode }: Book, id: string, lock: boolean): Promise<Withdrawal> {
  const [row] = await query<WithdrawalRow>(
    `select * from withdrawals where client_id = $1 and livemode = $2 and id = $3${lock ? ' for update' : ''}`, [clientId, livemode, id],
  );
  if (!row) throw new NotFoundProblem('withdrawal');
  return withdrawalFromRow(row);
}

/** A withdrawal of any book, for staff. */
export async function findAnywhere(query: Query, id: string, lock: boolean): Promise<Withdrawal> {
  const [row] = await query<WithdrawalRow>(`select * from withdrawals where id = $1${lock ? ' for update' : ''}`, [id]);
  if (!row) throw new NotFoundProblem('withdrawal');
  return withdrawalFromRow(row);
}
