-- Adds payments to the running counters. Everybody adds in one order, so that none waits in a circle.
--
-- p: array of {"client_id", "livemode", "kind", "entity", "small"}, one for each that is counted
create or replace function count_risk(p jsonb) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := clock_timestamp();
  v_minute bigint := floor(extract(epoch from v_now) / 60);
begin
  insert into risk_counters as c (client_id, livemode, kind, entity, since, seen_on, upto, minutes, small, hours, days)
  select k.client_id, k.livemode, k.kind, k.entity, v_now, (v_now at time zone 'UTC')::date, v_minute, array[count(*)], array[count(*) filter (where k.small)],
         array[count(*)], array[count(*)]
    from jsonb_to_recordset(p) as k (client_id text, livemode boolean, kind text, entity text, small boolean)
   group by k.client_id, k.livemode, k.kind, k.entity
   order by k.client_id collate "C", k.livemode, k.kind collate "C", k.entity collate "C"
  on conflict (client_id, livemode, kind, entity) do update
    set minutes = risk_ring(c.minutes, excluded.upto - c.upto, excluded.minutes[1], 60),
        small = risk_ring(c.small, excluded.upto - c.upto, excluded.small[1], 60),
        hours = risk_ring(c.hours, excluded.upto / 60 - c.upto / 60, excluded.hours[1], 24),
        days = risk_ring(c.days, excluded.upto / 1440 - c.upto / 1440, excluded.days[1], 30),
        upto = greatest(c.upto, excluded.upto), seen_on = greatest(c.seen_on, excluded.seen_on);
end $$;
