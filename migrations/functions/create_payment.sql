-- Creates a payment in one statement: access checked again, idempotency key claimed, payment, routing, audit and event.
-- It decides nothing: every value comes from the caller (src/payments/create-payment.ts).
--
-- p_access: see check_access. p_claim: see claim_idempotency, with the answer. p_payment: the columns of payments, and with a
-- deposit_address its "derivation_index": the address is watched from then on. p_risk: see write_assessment.
-- Answers null when created, or what claim_idempotency says.
create or replace function create_payment(p_access jsonb, p_claim jsonb, p_payment jsonb, p_audit jsonb, p_events json, p_risk jsonb)
returns jsonb
language plpgsql as $$
declare
  v_claim jsonb;
  v_client text := p_payment ->> 'client_id';
  v_livemode boolean := (p_payment ->> 'livemode')::boolean;
begin
  perform check_access(p_access);
  v_claim := claim_idempotency(p_claim);
  if v_claim is not null then
    return v_claim;
  end if;
  perform check_running('payments', v_client);
  insert into payments select * from jsonb_populate_record(null::payments, p_payment);
  insert into provider_references (provider, reference, client_id, livemode, payment_id)
  values ('cpgateway', p_payment ->> 'id', v_client, v_livemode, p_payment ->> 'id');
  if p_payment ->> 'deposit_address' is not null then
    insert into watched_addresses (chain, address, client_id, livemode, payment_id, derivation_index, complete_until, next_look_at)
    values ('tron', p_payment ->> 'deposit_address', v_client, v_livemode, p_payment ->> 'id', (p_payment ->> 'derivation_index')::bigint,
            (p_payment ->> 'created_at')::timestamptz, now());
  end if;
  perform write_assessment(p_risk);
  perform write_audit(p_audit);
  perform emit_events(v_client, v_livemode, p_events);
  return null;
end $$;
