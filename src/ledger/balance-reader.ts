import { Injectable } from '@nestjs/common';
import type { CurrencyCode } from '../money/currency';
import { formatAmount } from '../money/money';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { currentAccess } from '../platform/http/request-context';
import type { BalanceObject } from './ledger.dto';

interface BalanceRow {
  currency: CurrencyCode;
  available: string;
  pending: string;
  held: string;
}

/** Totals are columns of the accounts, so a balance is read and never summed over history. */
const BALANCES = `
  select currency,
         coalesce(sum(credits_posted - debits_posted - debits_pending) filter (where kind = 'available'), 0) as available,
         coalesce(sum(credits_posted - debits_posted) filter (where kind = 'pending'), 0) as pending,
         coalesce(sum(debits_pending) filter (where kind = 'available'), 0) as held
    from ledger_accounts
   where client_id = $1 and livemode = $2 and kind in ('available', 'pending')
   group by currency order by currency`;

/** Reads the balances of the caller's own book, in the mode of its key. */
@Injectable()
export class BalanceReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** One line for each currency that was ever credited, in alphabetical order. */
  async get(): Promise<BalanceObject> {
    const { clientId, livemode } = currentAccess();
    const rows = await this.unitOfWork.read<BalanceRow>('get_balances', BALANCES, [clientId, livemode]);
    return {
      object: 'balance',
      balances: rows.map(({ currency, available, pending, held }) => ({
        currency,
        available: formatAmount(BigInt(available), currency),
        pending: formatAmount(BigInt(pending), currency),
        held: formatAmount(BigInt(held), currency),
      })),
    };
  }
}
