-- A running counter as it is answered to whoever adds up its buckets (src/fraud/signals/running-counter.ts): [seconds since it began, the minute
-- now, and upto, minutes, small, hours, days of the row]. Inlined into whatever asks.
create or replace function running_counter(r risk_counters, p_now timestamptz) returns json
language sql stable as $$
  select json_build_array(extract(epoch from p_now - r.since)::float8, floor(extract(epoch from p_now) / 60)::bigint, r.upto, r.minutes, r.small, r.hours, r.days)
$$;
