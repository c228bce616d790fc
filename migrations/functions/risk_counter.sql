-- A counter of payment_contexts from ages that come the newest first: how many of them are within 10 minutes, an hour,
-- a day, and in all, and the largest in seconds. Null for none.
create or replace function risk_counter(p_ages interval[]) returns jsonb
language sql stable as $$
  select case when cardinality(p_ages) > 0 then
           jsonb_build_array(width_bucket(interval '10 minutes', p_ages), width_bucket(interval '1 hour', p_ages),
                             width_bucket(interval '1 day', p_ages), cardinality(p_ages),
                             extract(epoch from p_ages[cardinality(p_ages)])::float8) end
$$;
