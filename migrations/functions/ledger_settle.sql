-- Ends a pending transfer once: 'post' books it, 'void' lets it go. Answers whether this call did it;
-- false when it was already settled the same way, so that a repeated call is harmless.
-- CPG03: no such transfer, or it was settled the other way.
create or replace function ledger_settle(p_client text, p_transfer text, p_action text) returns boolean
language plpgsql as $$
declare
  t ledger_transfers;
  v_state text := case p_action when 'post' then 'posted' when 'void' then 'voided' end;
begin
  select * into t from ledger_transfers where client_id = p_client and id = p_transfer for no key update;
  if t.state = v_state then
    return false;
  end if;
  if t.state is distinct from 'pending' or v_state is null then
    raise exception 'transfer % is %, cannot %', p_transfer, coalesce(t.state, 'unknown'), p_action using errcode = 'CPG03';
  end if;
  perform 1 from ledger_accounts
   where client_id = p_client and livemode = t.livemode and currency = t.currency and kind in (t.debit_kind, t.credit_kind)
   order by kind for no key update;
  update ledger_transfers set state = v_state, settled_at = now() where client_id = p_client and id = p_transfer;
  if p_action = 'post' then
    perform ledger_post_entry(p_client, t.livemode, t.currency, t.debit_kind, 'debit', t.id, t.amount_minor, t.amount_minor);
    perform ledger_post_entry(p_client, t.livemode, t.currency, t.credit_kind, 'credit', t.id, t.amount_minor, t.amount_minor);
  else
    update ledger_accounts set debits_pending = debits_pending - t.amount_minor
     where client_id = p_client and livemode = t.livemode and currency = t.currency and kind = t.debit_kind;
    update ledger_accounts set credits_pending = credits_pending - t.amount_minor
     where client_id = p_client and livemode = t.livemode and currency = t.currency and kind = t.credit_kind;
  end if;
  return true;
end $$;
