import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LedgerCheck, type LedgerCheckPart } from '../../ledger/ledger-check';

/** What is booked as unmatched and still there is what the inbox says: nothing was credited or given back that stands there yet. */
const BALANCES = `
  select format('account %s %s %s unmatched, balance', client_id, case when livemode then 'live' else 'test' end, currency) as place,
         coalesce(d.amount_minor, 0)::text as expected, coalesce(a.balance_minor, 0)::text as found
    from (
      select client_id, livemode, currency, credits_posted - debits_posted as balance_minor
        from ledger_accounts where client_id > $1 and client_id <= $2 and kind = 'unmatched'
    ) a
    full join (
      select client_id, livemode, currency, sum(amount_minor) as amount_minor
        from unmatched_deposits where client_id > $1 and client_id <= $2 and booked and status in ('open', 'refunding')
       group by client_id, livemode, currency
    ) d using (client_id, livemode, currency)
   where coalesce(d.amount_minor, 0) <> coalesce(a.balance_minor, 0)
   order by client_id, livemode, currency limit 1`;

/**
 * What was assigned was credited whole, to the payment that the deposit names: under the provider's name for the money, under the deposit's
 * own, or, for a part that its expired payment had received before, by giving it back.
 */
const ASSIGNED = `
  select format('unmatched deposit %s, credited to %s', d.id, d.payment_id) as place, d.amount_minor::text as expected,
         coalesce(told.credited_minor, own.credited_minor, part.amount_minor, 0)::text as found
    from unmatched_deposits d
    left join payment_receipts own on own.client_id = d.client_id and own.livemode = d.livemode and own.provider = 'cpgateway'
                                  and own.reference = d.id and own.payment_id = d.payment_id
    left join payment_receipts told on told.client_id = d.client_id and told.livemode = d.livemode and told.provider = d.provider
                                   and told.reference = d.reference and told.payment_id = d.payment_id and own.reference is null
    left join lateral (
      select t.amount_minor from ledger_transfers t
       where d.provider = 'cpgateway' and t.client_id = d.client_id and t.reference_id = d.payment_id and t.debit_kind = 'unmatched'
         and t.code = 'payment_released' limit 1
    ) part on true
   where d.client_id > $1 and d.client_id <= $2 and d.status = 'assigned'
     and coalesce(told.credited_minor, own.credited_minor, part.amount_minor, 0) <> d.amount_minor
   order by d.client_id, d.id limit 1`;

export const UNMATCHED_BOOKS: LedgerCheckPart = {
  // Nothing is unmatched in the ledger of a client without an account.
  clientsIn: 'ledger_accounts',
  counts: { unmatched_deposits: 'unmatched_deposits' },
  checks: [
    { name: 'what is booked as unmatched is what the inbox of unmatched deposits holds', sql: BALANCES },
    { name: 'an assigned deposit was credited to its payment', sql: ASSIGNED },
  ],
};

/** Lets the ledger's check look at unmatched deposits too. */
@Injectable()
export class UnmatchedLedgerCheck implements OnModuleInit {
  constructor(private readonly ledgerCheck: LedgerCheck) {}

  onModuleInit(): void {
    this.ledgerCheck.register(UNMATCHED_BOOKS);
  }
}
