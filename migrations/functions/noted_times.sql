-- How often something was noted of somebody, see risk_counter: the newest 200 sightings of the last 30 days. For payment_contexts, whose
-- settings it is planned with.
create or replace function noted_times(p_client text, p_livemode boolean, p_kind text, p_entity text, p_now timestamptz) returns jsonb
language plpgsql stable as $$
begin
  return risk_counter(array(
    select p_now - r.at from risk_sightings r
     where r.client_id = p_client and r.livemode = p_livemode and r.kind = p_kind and r.entity = p_entity and r.at > p_now - interval '30 days'
     order by r.at desc limit 200));
end $$;
