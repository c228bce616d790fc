-- Moves transfers of one client, mode and currency to the state that each names: the totals of their accounts and, for those that
-- become posted, an entry on either account with the balance after it. Each account is written once, however many transfers meet there.
-- Accounts are locked in one order, whatever the order of the transfers: two bookings that meet wait for each other and never
-- deadlock. The available funds come first and are always locked, so that this holds for several bookings of one transaction too.
--
-- p_transfers: array of {"id", "debit", "credit", "amount_minor", "state"}
-- p_from: the state that all of them were in, or null for new ones
create or replace function ledger_move(p_client text, p_livemode boolean, p_currency text, p_transfers jsonb, p_from text) returns void
language plpgsql as $$
declare
  v_at timestamptz;
begin
  -- The clock is read behind the locks and never runs backwards on an account, so that entries sort by id as they were booked.
  select greatest(date_trunc('milliseconds', clock_timestamp()), max(last_entry_at)) into v_at
    from (select last_entry_at from ledger_accounts
           where client_id = p_client and livemode = p_livemode and currency = p_currency
             and kind in (select 'available' union select e ->> 'debit' from jsonb_array_elements(p_transfers) e
                          union select e ->> 'credit' from jsonb_array_elements(p_transfers) e)
           order by kind <> 'available', kind for no key update) locked;
  with legs as (
    select t.position, t.id, leg.kind, leg.side, t.amount_minor,
           case when t.state = 'posted' then t.amount_minor else 0 end as posted,
           case when t.state = 'pending' then t.amount_minor when p_from = 'pending' then - t.amount_minor else 0 end as pending
      from rows from (jsonb_to_recordset(p_transfers) as (id text, debit text, credit text, amount_minor numeric, state text))
             with ordinality as t (id, debit, credit, amount_minor, state, position)
           cross join lateral (values (t.debit, 'debit'), (t.credit, 'credit')) as leg (kind, side)
  ), sums as (
    select kind,
           coalesce(sum(posted) filter (where side = 'debit'), 0) as debits_posted,
           coalesce(sum(pending) filter (where side = 'debit'), 0) as debits_pending,
           coalesce(sum(posted) filter (where side = 'credit'), 0) as credits_posted,
           coalesce(sum(pending) filter (where side = 'credit'), 0) as credits_pending,
           count(*) filter (where posted > 0) as entries
      from legs group by kind
  ), moved as (
    update ledger_accounts a
       set debits_posted = a.debits_posted + s.debits_posted, debits_pending = a.debits_pending + s.debits_pending,
           credits_posted = a.credits_posted + s.credits_posted, credits_pending = a.credits_pending + s.credits_pending,
           entry_count = a.entry_count + s.entries,
           last_entry_at = case when s.entries > 0 then v_at else a.last_entry_at end
      from sums s
     where a.client_id = p_client and a.livemode = p_livemode and a.currency = p_currency and a.kind = s.kind
    returning a.kind, a.normal_side, a.entry_count - s.entries as earlier_entries,
              case a.normal_side when 'credit' then a.credits_posted - s.credits_posted - a.debits_posted + s.debits_posted
                                 else a.debits_posted - s.debits_posted - a.credits_posted + s.credits_posted end as earlier_balance
  ), booked as (
    select legs.*, earlier_entries + row_number() over steps as seq,
           earlier_balance + sum(case when side = normal_side then posted else - posted end) over steps as balance
      from legs join moved using (kind)
     where posted > 0
    window steps as (partition by kind order by position)
  )
  -- An entry's id is its millisecond, its number in the account, and 8 random digits.
  insert into ledger_entries (client_id, livemode, currency, kind, seq, id, transfer_id, side, amount_minor, balance_minor, created_at)
  select p_client, p_livemode, p_currency, kind, seq,
         'ent_' || lpad(to_hex((extract(epoch from v_at) * 1000)::bigint), 12, '0') || lpad(to_hex(seq), 12, '0')
           || right(gen_random_uuid()::text, 8),
         id, side, amount_minor, balance, v_at
    from booked;
end $$;
