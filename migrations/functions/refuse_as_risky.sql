-- Keeps the assessment of what is not let through. Access and idempotency key are looked at first: a request that was carried out
-- before is answered as it was then, whatever is thought of it now. The key is not claimed: a refusal runs again.
-- Answers null when it is refused, or what claim_idempotency says.
create or replace function refuse_as_risky(p_access jsonb, p_claim jsonb, p_risk jsonb) returns jsonb
language plpgsql as $$
declare
  v_known jsonb;
begin
  perform check_access(p_access);
  select jsonb_build_object('outcome', case when k.fingerprint = p_claim ->> 'fingerprint' then 'replay' else 'mismatch' end,
                            'status', k.status, 'body', k.body, 'sealed', k.sealed) into v_known
    from idempotency_keys k
   where k.client_id = p_claim ->> 'client_id' and k.livemode = (p_claim ->> 'livemode')::boolean
     and k.route = p_claim ->> 'route' and k.key = p_claim ->> 'key';
  if found then
    return v_known;
  end if;
  perform write_assessment(p_risk);
  return null;
end $$;
