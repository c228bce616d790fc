import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LedgerCheck, type LedgerCheckPart } from '../ledger/ledger-check';

/** The state of the hold that each status of a withdrawal must have, its amount, and that nothing else was held for it. */
const HOLDS = `
  select format('withdrawal %s, %s', w.id, field.name) as place, field.expected, field.found
    from withdrawals w
    left join ledger_transfers t on t.client_id = w.client_id and t.id = w.hold_id
    left join (
      select client_id, reference_id, count(*) as transfers
        from ledger_transfers where client_id > $1 and client_id <= $2 and code = 'withdrawal'
       group by client_id, reference_id
    ) n on n.client_id = w.client_id and n.reference_id = w.id
   cross join lateral (values
     (1, 'state of its hold',
      case when w.status = 'completed' then 'posted' when w.status in ('rejected', 'canceled', 'failed') then 'voided' else 'pending' end,
      coalesce(t.state, 'none')),
     (2, 'amount_minor of its hold', w.amount_minor::text, coalesce(t.amount_minor, 0)::text),
     (3, 'book and currency of its hold', concat_ws(' ', w.livemode, w.currency, w.id), concat_ws(' ', t.livemode, t.currency, t.reference_id)),
     (4, 'transfers for it', '1', coalesce(n.transfers, 0)::text)
   ) as field (rank, name, expected, found)
   where w.client_id > $1 and w.client_id <= $2 and field.expected <> field.found
   order by w.client_id, w.livemode, w.id, field.rank limit 1`;

/** What left must have been asked for: no transfer of a withdrawal without its row. */
const ORPHANS = `
  select format('transfer %s', t.id) as place, 'a withdrawal'::text as expected, 'none'::text as found
    from ledger_transfers t left join withdrawals w on w.client_id = t.client_id and w.livemode = t.livemode and w.id = t.reference_id
   where t.client_id > $1 and t.client_id <= $2 and t.code = 'withdrawal' and w.id is null
   order by t.client_id, t.id limit 1`;

/** At most one attempt has paid, and only for what is completed. */
const PAYOUTS = `
  select format('withdrawal %s, payouts that paid', w.id) as place,
         case when w.status = 'completed' and w.settled_by <> 'people' then '1' else 'at most ' || (w.status = 'completed')::integer end as expected,
         count(p.id)::text as found
    from withdrawals w
    left join payouts p on p.client_id = w.client_id and p.livemode = w.livemode and p.subject_id = w.id and p.status = 'completed'
   where w.client_id > $1 and w.client_id <= $2
   group by w.client_id, w.livemode, w.id
  having count(p.id) > (w.status = 'completed')::integer or (w.status = 'completed' and w.settled_by <> 'people' and count(p.id) = 0)
   order by w.client_id, w.livemode, w.id limit 1`;

export const WITHDRAWAL_BOOKS: LedgerCheckPart = {
  clientsIn: 'withdrawals',
  counts: { withdrawals: 'withdrawals' },
  checks: [
    { name: 'a withdrawal holds its amount while it is open, has paid it out when completed, and holds nothing otherwise', sql: HOLDS },
    { name: 'at most one payout has paid a withdrawal', sql: PAYOUTS },
  ],
};

export const WITHDRAWAL_TRANSFERS: LedgerCheckPart = {
  clientsIn: 'ledger_accounts',
  counts: {},
  checks: [{ name: 'funds were held for withdrawals that exist', sql: ORPHANS }],
};

/** Lets the ledger's check look at withdrawals too. */
@Injectable()
export class WithdrawalLedgerCheck implements OnModuleInit {
  constructor(private readonly ledgerCheck: LedgerCheck) {}

  onModuleInit(): void {
    this.ledgerCheck.register(WITHDRAWAL_BOOKS);
    this.ledgerCheck.register(WITHDRAWAL_TRANSFERS);
  }
}
