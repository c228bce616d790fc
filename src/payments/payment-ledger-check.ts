import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LedgerCheck, type LedgerCheckPart } from '../ledger/ledger-check';

/** What has arrived for a payment, as the receipts tell it and as the ledger does; and the fee that was booked for it. */
const PAYMENTS = `
  select format('payment %s, %s', p.id, field.name) as place, field.expected::text, field.found::text
    from payments p
    left join (
      select client_id, livemode, payment_id, sum(credited_minor) as credited
        from payment_receipts where client_id > $1 and client_id <= $2
       group by client_id, livemode, payment_id
    ) r on r.client_id = p.client_id and r.livemode = p.livemode and r.payment_id = p.id
    left join (
      select client_id, livemode, currency, reference_id, coalesce(sum(amount_minor) filter (where code = 'fee'), 0) as fee,
             coalesce(sum(amount_minor) filter (where code in ('payment', 'partial_payment')), 0) as received
        from ledger_transfers
       where client_id > $1 and client_id <= $2 and state = 'posted' and code in ('payment', 'partial_payment', 'fee')
       group by client_id, livemode, currency, reference_id
    ) t on t.client_id = p.client_id and t.livemode = p.livemode and t.currency = p.pay_currency and t.reference_id = p.id
   cross join lateral (values
     (1, 'amount_received_minor by its receipts', coalesce(r.credited, 0), p.amount_received_minor),
     (2, 'amount_received_minor by the ledger', coalesce(t.received, 0), p.amount_received_minor),
     (3, 'fee_minor by the ledger', coalesce(t.fee, 0), p.fee_minor)
   ) as field (rank, name, expected, found)
   where p.client_id > $1 and p.client_id <= $2 and field.expected <> field.found
   order by p.client_id, p.livemode, p.id, field.rank limit 1`;

export const PAYMENT_BOOKS: LedgerCheckPart = {
  clientsIn: 'payments',
  counts: { payments: 'payments', receipts: 'payment_receipts' },
  checks: [{ name: 'a payment has received and paid what its receipts and the ledger say', sql: PAYMENTS }],
};

/** Lets the ledger's check look at payments too: what they say was received must have been booked. */
@Injectable()
export class PaymentLedgerCheck implements OnModuleInit {
  constructor(private readonly ledgerCheck: LedgerCheck) {}

  onModuleInit(): void {
    this.ledgerCheck.register(PAYMENT_BOOKS);
  }
}
