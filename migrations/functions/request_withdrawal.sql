-- Requests a withdrawal in one statement: access checked again, idempotency key claimed, funds held, withdrawal, audit and event.
-- It decides nothing: every value comes from the caller (src/withdrawals/request-withdrawal.ts).
--
-- p_withdrawal: the columns of withdrawals. p_hold: the pending transfer from available to payout, as ledger_transfer takes it.
-- p_risk: see write_assessment.
-- Answers null when requested, or what claim_idempotency says.
-- CPG01: the destination was deleted meanwhile; read again and decide again. CPG05: paused. check_violation: not so much available.
create or replace function request_withdrawal(
  p_access jsonb, p_claim jsonb, p_withdrawal jsonb, p_hold jsonb, p_audit jsonb, p_events json, p_risk jsonb
) returns jsonb
language plpgsql as $$
declare
  v_claim jsonb := open_change(p_access, p_claim);
  v_client text := p_withdrawal ->> 'client_id';
  v_livemode boolean := (p_withdrawal ->> 'livemode')::boolean;
begin
  if v_claim is not null then
    return v_claim;
  end if;
  perform check_running('withdrawals', v_client);
  perform 1 from destinations
    where client_id = v_client and livemode = v_livemode and id = p_withdrawal ->> 'destination_id'
      and deleted_at is null and active_at <= clock_timestamp()
      for share;
  if not found then
    raise exception 'the destination has changed' using errcode = 'CPG01';
  end if;
  perform ledger_transfer(v_client, v_livemode, p_withdrawal ->> 'currency', p_hold);
  insert into withdrawals (client_id, livemode, id, status, amount_minor, currency, destination_id, destination, requested_by,
                           approvals_required, risk, review, hold_id, created_at, updated_at)
  select w.client_id, w.livemode, w.id, w.status, w.amount_minor, w.currency, w.destination_id, w.destination, w.requested_by,
         w.approvals_required, w.risk, w.review, w.hold_id, w.created_at, w.updated_at
    from jsonb_populate_record(null::withdrawals, p_withdrawal) w;
  perform write_assessment(p_risk);
  perform write_audit(p_audit);
  perform emit_events(v_client, v_livemode, p_events);
  return null;
end $$;
