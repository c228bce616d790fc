/**
 * One question to the books of a range of clients ($1 < client_id <= $2). The answer is the first fault as
 * (place, expected, found), or no row. Whatever is checked is computed anew, never believed.
 */
export interface BookCheck {
  name: string;
  sql: string;
}

const mode = (alias: string) => `case when ${alias}.livemode then 'live' else 'test' end`;
const account = (alias: string) => `format('account %s %s %s %s', ${alias}.client_id, ${mode(alias)}, ${alias}.currency, ${alias}.kind)`;

const TRANSFERS = `
  select fault.place, fault.expected, fault.found
    from ledger_transfers t
    left join ledger_entries d on d.client_id = t.client_id and d.transfer_id = t.id and d.side = 'debit'
                              and d.client_id > $1 and d.client_id <= $2
    left join ledger_entries c on c.client_id = t.client_id and c.transfer_id = t.id and c.side = 'credit'
                              and c.client_id > $1 and c.client_id <= $2
   cross join lateral (values
     (1, format('transfer %s, entries', t.id), case t.state when 'posted' then 'debit credit' else '' end, concat_ws(' ', d.side, c.side)),
     (2, format('transfer %s, amount_minor', t.id),
         case when d.amount_minor = c.amount_minor then d.amount_minor else t.amount_minor end::text, t.amount_minor::text),
     (3, format('entry %s of transfer %s, amount_minor', d.id, t.id), t.amount_minor::text, d.amount_minor::text),
     (4, format('entry %s of transfer %s, amount_minor', c.id, t.id), t.amount_minor::text, c.amount_minor::text),
     (5, format('entry %s of transfer %s, account', d.id, t.id),
         ${mode('t')} || ' ' || t.currency || ' ' || t.debit_kind, ${mode('d')} || ' ' || d.currency || ' ' || d.kind),
     (6, format('entry %s of transfer %s, account', c.id, t.id),
         ${mode('t')} || ' ' || t.currency || ' ' || t.credit_kind, ${mode('c')} || ' ' || c.currency || ' ' || c.kind)
   ) as fault (rank, place, expected, found)
   where t.client_id > $1 and t.client_id <= $2
     -- Told apart in words only where something is wrong at all.
     and case t.state when 'posted'
           then (t.amount_minor, t.livemode, t.currency, t.debit_kind, t.amount_minor, t.livemode, t.currency, t.credit_kind)
             is distinct from (d.amount_minor, d.livemode, d.currency, d.kind, c.amount_minor, c.livemode, c.currency, c.kind)
           else d.id is not null or c.id is not null end
     and fault.expected <> fault.found and (fault.rank = 1 or t.state = 'posted')
   order by t.client_id, t.id, fault.rank limit 1`;

const ENTRIES = `
  select fault.place, fault.expected, fault.found
    from (select e.*, row_number() over booked as number, lag(e.id) over booked as earlier,
                 sum(case when e.side = a.normal_side then e.amount_minor else - e.amount_minor end) over booked as balance
            from ledger_entries e join ledger_accounts a using (client_id, livemode, currency, kind)
           where e.client_id > $1 and e.client_id <= $2
          window booked as (partition by e.client_id, e.livemode, e.currency, e.kind order by e.seq rows unbounded preceding)) e
   cross join lateral (values
     (1, 'seq', e.number::text, e.seq::text),
     (2, 'balance_minor', e.balance::text, e.balance_minor::text),
     (3, 'id', case when e.id > e.earlier or e.earlier is null then e.id else 'one after ' || e.earlier end, e.id)
   ) as wrong (rank, field, expected, found)
   cross join lateral (select format('entry %s of %s, %s', e.id, ${account('e')}, wrong.field) as place, wrong.expected, wrong.found) fault
   where (e.seq <> e.number or e.balance_minor <> e.balance or e.id <= e.earlier) and wrong.expected <> wrong.found
   order by e.client_id, e.livemode, e.currency, e.kind, e.number, wrong.rank limit 1`;

const TOTALS = `
  select format('%s, %s', ${account('a')}, total.field) as place, total.expected::text, total.found::text
    from ledger_accounts a
    left join (
      select client_id, livemode, currency, leg.kind,
             sum(amount_minor) filter (where leg.side = 'debit' and state = 'pending') as debits_pending,
             sum(amount_minor) filter (where leg.side = 'debit' and state = 'posted') as debits_posted,
             sum(amount_minor) filter (where leg.side = 'credit' and state = 'pending') as credits_pending,
             sum(amount_minor) filter (where leg.side = 'credit' and state = 'posted') as credits_posted
        from ledger_transfers cross join lateral (values (debit_kind, 'debit'), (credit_kind, 'credit')) as leg (kind, side)
       where client_id > $1 and client_id <= $2
       group by client_id, livemode, currency, leg.kind
    ) s using (client_id, livemode, currency, kind)
   cross join lateral (values
     (1, 'debits_pending', coalesce(s.debits_pending, 0), a.debits_pending),
     (2, 'debits_posted', coalesce(s.debits_posted, 0), a.debits_posted),
     (3, 'credits_pending', coalesce(s.credits_pending, 0), a.credits_pending),
     (4, 'credits_posted', coalesce(s.credits_posted, 0), a.credits_posted)
   ) as total (rank, field, expected, found)
   where a.client_id > $1 and a.client_id <= $2 and total.expected <> total.found
   order by a.client_id, a.livemode, a.currency, a.kind, total.rank limit 1`;

const LAST_ENTRIES = `
  select format('%s, %s', ${account('a')}, last.field) as place, last.expected, last.found
    from ledger_accounts a
    left join lateral (
      select seq, balance_minor, created_at from ledger_entries
       where client_id = a.client_id and livemode = a.livemode and currency = a.currency and kind = a.kind
       order by seq desc limit 1
    ) e on true
   cross join lateral (values
     (1, 'entry_count', coalesce(e.seq, 0)::text, a.entry_count::text),
     (2, 'balance of the last entry', ((a.credits_posted - a.debits_posted) * case a.normal_side when 'credit' then 1 else -1 end)::text,
         coalesce(e.balance_minor, 0)::text),
     (3, 'last_entry_at', coalesce(e.created_at::text, 'never'), coalesce(a.last_entry_at::text, 'never'))
   ) as last (rank, field, expected, found)
   where a.client_id > $1 and a.client_id <= $2 and last.expected <> last.found
   order by a.client_id, a.livemode, a.currency, a.kind, last.rank limit 1`;

const NEVER_NEGATIVE = `
  select format('%s, balance less what is held', ${account('a')}) as place, 'zero or more' as expected, free.minor::text as found
    from ledger_accounts a
   cross join lateral (select case a.normal_side when 'credit' then a.credits_posted - a.debits_posted - a.debits_pending
                                                 else a.debits_posted - a.credits_posted - a.credits_pending end as minor) free
   where a.client_id > $1 and a.client_id <= $2 and free.minor < 0
   order by a.client_id, a.livemode, a.currency, a.kind limit 1`;

const TRIAL_BALANCE = `
  select format('book %s %s %s, debits = credits', b.client_id, ${mode('b')}, b.currency) as place,
         format('%s posted, %s pending', b.debits_posted, b.debits_pending) as expected,
         format('%s posted, %s pending', b.credits_posted, b.credits_pending) as found
    from (select client_id, livemode, currency, sum(debits_posted) as debits_posted, sum(debits_pending) as debits_pending,
                 sum(credits_posted) as credits_posted, sum(credits_pending) as credits_pending
            from ledger_accounts where client_id > $1 and client_id <= $2 group by client_id, livemode, currency) b
   where b.debits_posted <> b.credits_posted or b.debits_pending <> b.credits_pending
   order by b.client_id, b.livemode, b.currency limit 1`;

/**
 * In this order the first fault is also the most exact one: a changed entry or transfer is named itself before the accounts
 * that no longer agree with it.
 */
export const BOOK_CHECKS: readonly BookCheck[] = [
  { name: 'every posted transfer has one debit and one credit of its amount, any other has none', sql: TRANSFERS },
  { name: 'the entries of an account are numbered without a gap and carry its running balance', sql: ENTRIES },
  { name: 'the totals of an account are the sums of its transfers', sql: TOTALS },
  { name: 'an account agrees with its last entry', sql: LAST_ENTRIES },
  { name: 'no account is below zero', sql: NEVER_NEGATIVE },
  { name: 'debits equal credits in every book and currency', sql: TRIAL_BALANCE },
];
