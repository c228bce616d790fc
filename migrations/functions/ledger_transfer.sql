-- Books new transfers of one client, mode and currency, all or none, in the order given. Each moves an amount from one account
-- (debited) to another (credited); an account is opened when it is first used. The locks are ledger_move's.
--
-- p_transfers: array of {"id", "debit", "credit", "amount_minor", "code", "state": "posted" | "pending", "reference_id"}
-- Raises check_violation when an account has not enough: ledger_accounts_never_negative for the whole, and
-- ledger_entries_never_negative for a step on the way.
create or replace function ledger_transfer(p_client text, p_livemode boolean, p_currency text, p_transfers jsonb) returns void
language plpgsql as $$
begin
  -- Opened before anything is locked, and in sorted order: who waits for another's new account holds none that the other needs.
  insert into ledger_accounts (client_id, livemode, currency, kind, normal_side)
  select p_client, p_livemode, p_currency, kind,
         case when kind in ('provider', 'owed', 'provider_fees') then 'debit' else 'credit' end
    from (select e ->> 'debit' as kind from jsonb_array_elements(p_transfers) e
          union select e ->> 'credit' from jsonb_array_elements(p_transfers) e) used
   where not exists (select from ledger_accounts a where a.client_id = p_client and a.livemode = p_livemode
                        and a.currency = p_currency and a.kind = used.kind)
   order by kind
  on conflict do nothing;
  insert into ledger_transfers (client_id, livemode, currency, id, debit_kind, credit_kind, amount_minor, code, state,
                                reference_id, settled_at)
  select p_client, p_livemode, p_currency, t.id, t.debit, t.credit, t.amount_minor, t.code, t.state, t.reference_id,
         case t.state when 'posted' then now() end
    from jsonb_to_recordset(p_transfers)
      as t (id text, debit text, credit text, amount_minor numeric, code text, state text, reference_id text);
  perform ledger_move(p_client, p_livemode, p_currency, p_transfers, null);
end $$;
