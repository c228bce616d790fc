-- A running counter as it is answered (src/fraud/signals/running-counter.ts): [how often in the last 10 minutes, hour, day and 30 days, to the
-- minute, hour or day; seconds since it began; small ones in the last hour]. p_minute: of p_now, counted from 1970. Inlined into whatever asks.
create or replace function running_counter(r risk_counters, p_minute bigint, p_now timestamptz) returns json
language sql stable as $$
  select json_build_array(
    counted_since(r.total, r.minutes, 10 - (p_minute - r.upto)), counted_since(r.total, r.minutes, 60 - (p_minute - r.upto)),
    counted_since(r.total, r.hours, 24 - (p_minute / 60 - r.upto / 60)), counted_since(r.total, r.days, 30 - (p_minute / 1440 - r.upto / 1440)),
    extract(epoch from p_now - r.since)::float8, counted_since(r.small_total, r.small, 60 - (p_minute - r.upto)))
$$;
