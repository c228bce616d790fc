import { z } from 'zod';
import { CURRENCY_CODES, type CurrencyCode } from '../money/currency';
import { formatAmount } from '../money/money';
import { listQuery, pageOf } from '../platform/http/pagination';
import { STATEMENT_KINDS, type Side, type StatementKind } from './account-kinds';

const amount = z.string().meta({ description: 'Decimal string with all decimals of its currency.', examples: ['25.00'] });

/** What a client has in each currency it has ever had. */
export const balanceObject = z.object({
  object: z.literal('balance'),
  balances: z.array(z.object({
    currency: z.enum(CURRENCY_CODES),
    available: amount.meta({ description: 'What can be spent now: posted credits less posted debits and what is held.' }),
    pending: amount.meta({ description: 'Credited but not yet released.' }),
    held: amount.meta({ description: 'Set aside for payouts under way.' }),
  })),
}).meta({ id: 'Balance' });
export type BalanceObject = z.output<typeof balanceObject>;

/** One line of a statement. */
export const entryObject = z.object({
  id: z.string(),
  object: z.literal('ledger_entry'),
  transfer: z.string().meta({ description: 'The movement that this is one side of.' }),
  account: z.enum(STATEMENT_KINDS),
  currency: z.enum(CURRENCY_CODES),
  type: z.enum(['debit', 'credit']).meta({ description: 'A credit raises every account but owed, which a debit raises.' }),
  amount,
  balance_after: amount.meta({ description: 'The balance of this account and currency after this entry; held funds are still in it.' }),
  code: z.string().meta({ description: 'What kind of movement it is.', examples: ['payment', 'fee'] }),
  reference: z.string().meta({ description: 'The object that moved the money.', examples: ['pay_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21'] }),
  created_at: z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' }),
}).meta({ id: 'LedgerEntry' });
export type EntryObject = z.output<typeof entryObject>;

export const statementQuery = listQuery('ent', {
  account: z.enum(STATEMENT_KINDS).default('available'),
  currency: z.enum(CURRENCY_CODES).optional(),
});
export type StatementQuery = z.output<typeof statementQuery>;
export const entryPage = pageOf(entryObject);

/** An entry with its transfer's words, as PostgreSQL hands it over. */
export interface EntryRow {
  id: string;
  transfer_id: string;
  kind: StatementKind;
  currency: CurrencyCode;
  seq: string;
  side: Side;
  amount_minor: string;
  balance_minor: string;
  code: string;
  reference_id: string;
  created_at: Date;
}

/** Shows an entry. */
export function presentEntry(row: EntryRow): EntryObject {
  return {
    id: row.id,
    object: 'ledger_entry',
    transfer: row.transfer_id,
    account: row.kind,
    currency: row.currency,
    type: row.side,
    amount: formatAmount(BigInt(row.amount_minor), row.currency),
    balance_after: formatAmount(BigInt(row.balance_minor), row.currency),
    code: row.code,
    reference: row.reference_id,
    created_at: row.created_at.toISOString(),
  };
}
