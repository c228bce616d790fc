import { USDT_CONTRACT } from '../../chains/tron/tron-address';

/** The parameters of all of them: $1 the mode, $2 the first moment of the day, $3 the first one after it. */
const within = (column: string) => `${column} >= $2 and ${column} < $3`;

/** What our books hold under an outside name for money: `r` if it was credited to a payment, `d` if it is kept for people to look at. */
export const heldUnder = (provider: string, reference: string) => `
    left join provider_references n on n.provider = ${provider} and n.reference = ${reference}
    left join payment_receipts r
      on r.client_id = n.client_id and r.livemode = n.livemode and r.provider = n.provider and r.reference = n.reference
    left join unmatched_deposits d on d.provider = ${provider} and d.reference = ${reference}`;

/** The columns of an item whose outside amount and currency are given; `missing` says what it is if no book holds it. */
const against = (amount: string, currency: string, missing: string) => `
         coalesce(r.payment_id, d.id) as object, ${currency} as currency, ${amount} as provider_minor,
         case when coalesce(r.currency, d.currency) = ${currency} then coalesce(r.amount_minor, d.amount_minor) end as ledger_minor,
         case when coalesce(r.amount_minor, d.amount_minor) is null then ${missing}
              when coalesce(r.amount_minor, d.amount_minor) <> ${amount} or coalesce(r.currency, d.currency) <> ${currency}
                then 'other_amount' end as kind,
         case when coalesce(r.currency, d.currency) <> ${currency}
                then 'the books hold it in ' || coalesce(r.currency, d.currency) end as note`;

/**
 * Money that was booked on that day and that the outside does not tell of. Credits out of the inbox of unmatched deposits are not new
 * money: it came when the deposit did. The rest of an arrival that was credited in part is told of as the whole.
 */
const untold = (providers: string, isTold: (row: string) => string) => `
  select r.provider as source, r.reference, r.payment_id as object, r.currency, null::numeric as provider_minor,
         r.amount_minor as ledger_minor, 'missing_at_provider' as kind, null::text as note
    from payment_receipts r
   where ${within('r.received_at')} and r.livemode = $1 and r.provider ${providers} and not exists (${isTold('r')})
     and not exists (select from unmatched_deposits d
                      where d.provider = r.provider and d.reference = r.reference and d.received_at < r.received_at)
  union all
  select d.provider, d.reference, d.id, d.currency, null::numeric, d.amount_minor, 'missing_at_provider', 'kept as an unmatched deposit'
    from unmatched_deposits d
   where ${within('d.received_at')} and coalesce(d.livemode, true) = $1 and d.provider ${providers} and d.reason <> 'wrong_asset'
     and not exists (${isTold('d')})
     and not exists (select from provider_references n
                       join payment_receipts r on r.client_id = n.client_id and r.livemode = n.livemode and r.provider = n.provider
                                              and r.reference = n.reference
                      where n.provider = d.provider and n.reference = d.reference and r.received_at <= d.received_at)`;

/** What providers' events have told, put down while the stored events are read; gone when the snapshot ends. */
export const TOLD_TABLE = `
  create temporary table told (
    source text collate "C" not null,
    reference text collate "C" not null,
    payment_id text collate "C",
    amount_minor numeric not null,
    currency text not null,
    livemode boolean,
    in_day boolean not null,
    settled boolean not null
  ) on commit drop`;

/** Events that were received or applied about that day ($3 the sources); those of the day itself are `in_day`. */
export const TELLING_EVENTS = `
  select source, event_id, livemode, payload, status in ('applied', 'ignored', 'quarantined') as settled,
         received_at >= $1::timestamptz and received_at < $2::timestamptz as in_day
    from inbox_events
   where source = any ($3)
     and (received_at between $1::timestamptz - interval '1 hour' and $2::timestamptz + interval '1 hour'
          or applied_at between $1::timestamptz - interval '1 hour' and $2::timestamptz + interval '1 hour')`;

export const KEEP_TOLD = `
  insert into told select * from jsonb_to_recordset($1) as x (
    source text, reference text, payment_id text, amount_minor numeric, currency text, livemode boolean, in_day boolean, settled boolean)`;

/** $4: the sources. What nobody tells the mode of is looked at with the live money. */
export const TOLD_ARRIVALS = `
  select p.source, p.reference,
         ${against('p.amount_minor', 'p.currency', `case when p.settled then 'missing_in_ledger' else 'not_applied' end`)}
    from (select source, reference, currency, amount_minor, bool_or(settled) as settled, bool_or(livemode) as livemode,
                 min(payment_id) as payment_id
            from told where in_day group by source, reference, currency, amount_minor) p
    ${heldUnder('p.source', 'p.reference')}
    left join provider_references own on own.provider = 'cpgateway' and own.reference = p.payment_id
   where coalesce(p.livemode, r.livemode, d.livemode, own.livemode, true) = $1
  union all
  ${untold('= any ($4)', (row) => `select from told t where t.source = ${row}.provider and t.reference = ${row}.reference`)}`;

/** What the watcher has written down as final. */
export const WATCHED_ARRIVALS = `
  select 'tron' as source, c.hash || ':' || c.address as reference, ${against('c.amount_minor', `'USDT'`, `'missing_in_ledger'`)}
    from chain_transfers c
    join watched_addresses w on w.chain = c.chain and w.address = c.address
    ${heldUnder(`'tron'`, `c.hash || ':' || c.address`)}
   where c.state = 'final' and ${within('c.block_time')} and c.contract = '${USDT_CONTRACT}' and w.livemode = $1
  union all
  ${untold(`= 'tron'`, (row) => `
    select from chain_transfers c
     where c.chain = 'tron' and c.hash = split_part(${row}.reference, ':', 1) and c.address = split_part(${row}.reference, ':', 2)
       and c.contract = '${USDT_CONTRACT}' and c.state = 'final'`)}`;

const PAID_OUT = `t.code in ('withdrawal', 'refund') and t.state = 'posted'`;

/** By subject, so that two payouts of one withdrawal stand against its one hold. */
export const PAYOUTS = `
  select 'payouts' as source, s.subject_id as reference, s.subject_id as object, p.currency, p.amount_minor as provider_minor,
         t.amount_minor as ledger_minor,
         case when t.amount_minor is null then 'missing_in_ledger'
              when t.amount_minor <> p.amount_minor or t.currency <> p.currency then 'other_amount' end as kind,
         case when p.attempts > 1 then p.attempts || ' payouts paid it' end as note
    from (select distinct client_id, livemode, subject_id from payouts
           where status = 'completed' and ${within('updated_at')} and livemode = $1) s
   cross join lateral (
     select min(currency) as currency, sum(amount_minor) as amount_minor, count(*) as attempts from payouts
      where client_id = s.client_id and livemode = s.livemode and subject_id = s.subject_id and status = 'completed') p
    left join lateral (
     select min(t.currency) as currency, sum(t.amount_minor) as amount_minor from ledger_transfers t
      where t.client_id = s.client_id and t.livemode = s.livemode and t.reference_id = s.subject_id and ${PAID_OUT}) t on true
  union all
  select 'payouts', t.reference_id, t.reference_id, t.currency, null, t.amount_minor, 'missing_at_provider', 'no payout has paid it'
    from ledger_transfers t
   where ${within('t.settled_at')} and t.livemode = $1 and ${PAID_OUT} and not exists (
     select from payouts p
      where p.client_id = t.client_id and p.livemode = t.livemode and p.subject_id = t.reference_id and p.status = 'completed')`;

/**
 * What arrived on that day by the receipts and deposits, against what the accounts of providers were debited with for it. A payment is
 * compared as a whole, whatever the day of its other arrivals: no clock decides whether two records of one moment are of one day.
 * A receipt out of the inbox of unmatched deposits is left out where the deposit had been booked.
 */
export const PROVIDER_ACCOUNTS = `
  select 'ledger' as source, s.payment_id as reference, s.payment_id as object, s.currency, kept.in_day as provider_minor,
         kept.in_day + booked.minor - kept.minor as ledger_minor,
         case when booked.minor = kept.minor then null when booked.minor = 0 then 'missing_in_ledger'
              when kept.minor = 0 then 'missing_at_provider' else 'other_amount' end as kind,
         null::text as note
    from (
      select client_id, livemode, payment_id, currency from payment_receipts where ${within('received_at')} and livemode = $1
      union
      select client_id, livemode, booked_for, currency from unmatched_deposits
       where ${within('received_at')} and livemode = $1 and booked_for is not null and provider <> 'cpgateway'
      union
      select client_id, livemode, reference_id, currency from ledger_transfers
       where ${within('created_at')} and livemode = $1 and debit_kind = 'provider' and state = 'posted'
    ) s
   cross join lateral (
     select coalesce(sum(minor), 0) as minor, coalesce(sum(minor) filter (where ${within('at')}), 0) as in_day
       from (
         select r.credited_minor as minor, r.received_at as at from payment_receipts r
          where r.client_id = s.client_id and r.livemode = s.livemode and r.payment_id = s.payment_id and r.currency = s.currency
            and not exists (select from unmatched_deposits d
                             where d.provider = r.provider and d.reference = r.reference and d.booked and d.received_at < r.received_at)
            and not exists (select from unmatched_deposits d where d.id = r.reference and r.provider = 'cpgateway' and d.booked)
         union all
         select d.amount_minor, d.received_at from unmatched_deposits d
          where d.client_id = s.client_id and d.booked_for = s.payment_id and d.livemode = s.livemode and d.currency = s.currency
            and d.provider <> 'cpgateway'
       ) arrived
   ) kept
   cross join lateral (
     select coalesce(sum(t.amount_minor), 0) as minor from ledger_transfers t
      where t.client_id = s.client_id and t.livemode = s.livemode and t.reference_id = s.payment_id and t.currency = s.currency
        and t.debit_kind = 'provider' and t.state = 'posted'
   ) booked`;
