import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LedgerCheck, type LedgerCheckPart } from '../../ledger/ledger-check';

/** The hold of each refund: its state follows from the refund's, and it moves what the refund says from where it says. */
const HOLDS = `
  select format('refund %s, %s', r.id, field.name) as place, field.expected, field.found
    from refunds r
    left join ledger_transfers t on t.client_id = r.client_id and t.id = r.hold_id and t.client_id > $1 and t.client_id <= $2
   cross join lateral (values
     (1, 'what it holds',
         concat_ws(' ', r.livemode, r.currency, r.amount_minor, case when r.deposit_id is null then 'available' else 'unmatched' end,
                   'payout refund', r.id),
         concat_ws(' ', t.livemode, t.currency, t.amount_minor, t.debit_kind, t.credit_kind, t.code, t.reference_id)),
     (2, 'the state of its hold', case r.status when 'succeeded' then 'posted' when 'failed' then 'voided' else 'pending' end,
         coalesce(t.state, 'none'))
   ) as field (rank, name, expected, found)
   where r.client_id > $1 and r.client_id <= $2 and field.expected <> field.found
   order by r.client_id, r.livemode, r.id, field.rank limit 1`;

/** Every transfer that says that it is a refund's is one's. */
const TRANSFERS = `
  select format('transfer %s, refund', t.id) as place, coalesce(r.hold_id, 'a refund') as expected,
         case when r.hold_id is null then 'none' else t.id end as found
    from ledger_transfers t
    left join refunds r on r.client_id = t.client_id and r.livemode = t.livemode and r.id = t.reference_id
                       and r.client_id > $1 and r.client_id <= $2
   where t.client_id > $1 and t.client_id <= $2 and t.code = 'refund' and r.hold_id is distinct from t.id
   order by t.client_id, t.id limit 1`;

/** At most one attempt has paid, and only for what has succeeded; a provider may have paid without one. */
const PAYOUTS = `
  select format('refund %s, payouts that paid', r.id) as place, 'at most ' || (r.status = 'succeeded')::integer as expected,
         count(*)::text as found
    from refunds r
    join payouts p on p.client_id = r.client_id and p.livemode = r.livemode and p.subject_id = r.id and p.status = 'completed'
   where r.client_id > $1 and r.client_id <= $2
   group by r.client_id, r.livemode, r.id, r.status
  having count(*) > (r.status = 'succeeded')::integer
   order by r.client_id, r.livemode, r.id limit 1`;

/** What a payment says was given back and is being given back. */
const PAYMENTS = `
  select format('payment %s, %s', p.id, field.name) as place, field.expected::text, field.found::text
    from payments p
    left join (
      select client_id, livemode, payment_id, coalesce(sum(amount_minor) filter (where status = 'succeeded'), 0) as refunded,
             coalesce(sum(amount_minor) filter (where status in ('pending', 'requires_approval')), 0) as refunding
        from refunds where client_id > $1 and client_id <= $2 and payment_id is not null
       group by client_id, livemode, payment_id
    ) r on r.client_id = p.client_id and r.livemode = p.livemode and r.payment_id = p.id
   cross join lateral (values
     (1, 'amount_refunded_minor by its refunds', coalesce(r.refunded, 0), p.amount_refunded_minor),
     (2, 'amount_refunding_minor by its refunds', coalesce(r.refunding, 0), p.amount_refunding_minor)
   ) as field (rank, name, expected, found)
   where p.client_id > $1 and p.client_id <= $2 and field.expected <> field.found
   order by p.client_id, p.livemode, p.id, field.rank limit 1`;

export const REFUND_BOOKS: LedgerCheckPart = {
  // Nothing is refunded that was not booked before.
  clientsIn: 'ledger_accounts',
  counts: { refunds: 'refunds' },
  checks: [
    { name: 'a refund holds, has paid or has let go what it says', sql: HOLDS },
    { name: 'at most one payout has paid a refund', sql: PAYOUTS },
    { name: 'every refund in the ledger is one of the refunds', sql: TRANSFERS },
    { name: 'a payment is refunded by what its refunds say', sql: PAYMENTS },
  ],
};

/** Lets the ledger's check look at refunds too: against their payments, and against the ledger. */
@Injectable()
export class RefundLedgerCheck implements OnModuleInit {
  constructor(private readonly ledgerCheck: LedgerCheck) {}

  onModuleInit(): void {
    this.ledgerCheck.register(REFUND_BOOKS);
  }
}
