-- Ends a pending transfer once: 'post' books it, 'void' lets it go. Answers whether this call did it;
-- false when it was already settled the same way, so that a repeated call is harmless.
-- CPG03: no such transfer in this book, or it was settled the other way.
create or replace function ledger_settle(p_client text, p_livemode boolean, p_transfer text, p_action text) returns boolean
language plpgsql as $$
declare
  t ledger_transfers;
  v_state text := case p_action when 'post' then 'posted' when 'void' then 'voided' end;
begin
  select * into t from ledger_transfers
   where client_id = p_client and livemode = p_livemode and id = p_transfer for no key update;
  if t.state = v_state then
    return false;
  end if;
  if t.state is distinct from 'pending' or v_state is null then
    raise exception 'transfer % is %, cannot %', p_transfer, coalesce(t.state, 'unknown'), p_action using errcode = 'CPG03';
  end if;
  update ledger_transfers set state = v_state, settled_at = now() where client_id = p_client and id = p_transfer;
  perform ledger_move(p_client, p_livemode, t.currency, jsonb_build_array(jsonb_build_object(
    'id', t.id, 'debit', t.debit_kind, 'credit', t.credit_kind, 'amount_minor', t.amount_minor, 'state', v_state)), 'pending');
  return true;
end $$;
