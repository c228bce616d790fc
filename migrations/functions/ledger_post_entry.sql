-- One leg of a posted transfer: moves the account's totals and writes its entry with the balance after it.
-- The caller holds the account's lock. p_from_pending is what leaves the pending total (0 for a transfer posted at once).
create or replace function ledger_post_entry(
  p_client text, p_livemode boolean, p_currency text, p_kind text, p_side text,
  p_transfer text, p_amount numeric, p_from_pending numeric
) returns void
language sql as $$
  with moved as (
    update ledger_accounts
       set debits_posted = debits_posted + case p_side when 'debit' then p_amount else 0 end,
           debits_pending = debits_pending - case p_side when 'debit' then p_from_pending else 0 end,
           credits_posted = credits_posted + case p_side when 'credit' then p_amount else 0 end,
           credits_pending = credits_pending - case p_side when 'credit' then p_from_pending else 0 end,
           entry_count = entry_count + 1
     where client_id = p_client and livemode = p_livemode and currency = p_currency and kind = p_kind
    returning entry_count,
              case normal_side when 'credit' then credits_posted - debits_posted else debits_posted - credits_posted end as balance
  )
  insert into ledger_entries (client_id, livemode, currency, kind, seq, id, transfer_id, side, amount_minor, balance_minor)
  select p_client, p_livemode, p_currency, p_kind, entry_count, new_id('ent'), p_transfer, p_side, p_amount, balance from moved;
$$;
