-- Books transfers of one client, mode and currency. Each moves an amount from one account (debited) to another (credited).
-- Accounts are opened when first used and locked in the order of their kind, whatever the order of the transfers:
-- two bookings that meet wait for each other and never deadlock.
--
-- p_transfers: array of {"id", "debit", "credit", "amount_minor", "code", "state": "posted" | "pending", "reference_id"}
-- Raises check_violation (ledger_accounts_never_negative) when an account has not enough.
create or replace function ledger_transfer(p_client text, p_livemode boolean, p_currency text, p_transfers jsonb) returns void
language plpgsql as $$
declare
  t record;
begin
  insert into ledger_accounts (client_id, livemode, currency, kind, normal_side)
  select p_client, p_livemode, p_currency, kind,
         case when kind in ('provider', 'owed', 'provider_fees') then 'debit' else 'credit' end
    from (select e ->> 'debit' as kind from jsonb_array_elements(p_transfers) e
          union select e ->> 'credit' from jsonb_array_elements(p_transfers) e) used
   where not exists (select from ledger_accounts a where a.client_id = p_client and a.livemode = p_livemode
                        and a.currency = p_currency and a.kind = used.kind)
   order by kind
  on conflict do nothing;
  perform 1 from ledger_accounts
   where client_id = p_client and livemode = p_livemode and currency = p_currency
     and kind in (select e ->> 'debit' from jsonb_array_elements(p_transfers) e
                  union select e ->> 'credit' from jsonb_array_elements(p_transfers) e)
   order by kind for no key update;
  for t in
    select * from jsonb_to_recordset(p_transfers)
      as x (id text, debit text, credit text, amount_minor numeric, code text, state text, reference_id text)
  loop
    insert into ledger_transfers (client_id, livemode, currency, id, debit_kind, credit_kind, amount_minor, code, state,
                                  reference_id, settled_at)
    values (p_client, p_livemode, p_currency, t.id, t.debit, t.credit, t.amount_minor, t.code, t.state, t.reference_id,
            case t.state when 'posted' then now() end);
    if t.state = 'posted' then
      perform ledger_post_entry(p_client, p_livemode, p_currency, t.debit, 'debit', t.id, t.amount_minor, 0);
      perform ledger_post_entry(p_client, p_livemode, p_currency, t.credit, 'credit', t.id, t.amount_minor, 0);
    else
      update ledger_accounts set debits_pending = debits_pending + t.amount_minor
       where client_id = p_client and livemode = p_livemode and currency = p_currency and kind = t.debit;
      update ledger_accounts set credits_pending = credits_pending + t.amount_minor
       where client_id = p_client and livemode = p_livemode and currency = p_currency and kind = t.credit;
    end if;
  end loop;
end $$;
