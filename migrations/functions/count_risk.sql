-- Adds payments to the running counters. Everybody adds in one order (by client, book, kind and entity), so that none waits in a circle.
--
-- One element of each array for each counter, and none twice: p_kind and p_entity say which of the client's it is, "client" and the client
-- itself, or "email_domain" and the domain; p_all how many payments are added, and p_small how many of those are small.
create or replace function count_risk(p_client text[], p_livemode boolean[], p_kind text[], p_entity text[], p_all bigint[], p_small bigint[])
returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := clock_timestamp();
  v_minute bigint := floor(extract(epoch from v_now) / 60);
begin
  insert into risk_counters as c (client_id, livemode, kind, entity, since, seen_on, upto, total, small_total, minutes, small, hours, days)
  select k.client_id, k.livemode, k.kind, k.entity, v_now, (v_now at time zone 'UTC')::date, v_minute, k.total, k.small, '{0}', '{0}', '{0}', '{0}'
    from unnest(p_client, p_livemode, p_kind, p_entity, p_all, p_small) as k (client_id, livemode, kind, entity, total, small)
  on conflict (client_id, livemode, kind, entity) do update
    set total = c.total + excluded.total, small_total = c.small_total + excluded.small_total,
        minutes = risk_marks(c.minutes, c.total, excluded.upto - c.upto, 60), small = risk_marks(c.small, c.small_total, excluded.upto - c.upto, 60),
        hours = risk_marks(c.hours, c.total, excluded.upto / 60 - c.upto / 60, 24),
        days = risk_marks(c.days, c.total, excluded.upto / 1440 - c.upto / 1440, 30),
        upto = greatest(c.upto, excluded.upto), seen_on = greatest(c.seen_on, excluded.seen_on);
end $$;
