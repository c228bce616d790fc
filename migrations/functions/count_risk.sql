-- Adds payments to the running counters. Everybody adds in one order, so that none waits in a circle.
--
-- One element of each array for each payment: its client is counted, and the domain of the e-mail where it has one.
create or replace function count_risk(p_client text[], p_livemode boolean[], p_domain text[], p_small boolean[]) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := clock_timestamp();
  v_minute bigint := floor(extract(epoch from v_now) / 60);
begin
  insert into risk_counters as c (client_id, livemode, kind, entity, since, seen_on, upto, total, small_total, minutes, small, hours, days)
  select k.client_id, k.livemode, k.kind, k.entity, v_now, (v_now at time zone 'UTC')::date, v_minute, count(*), count(*) filter (where k.small),
         '{0}', '{0}', '{0}', '{0}'
    from (select a.client_id, a.livemode, e.kind, e.entity, a.small
            from unnest(p_client, p_livemode, p_domain, p_small) as a (client_id, livemode, domain, small)
           cross join lateral (values ('client', a.client_id), ('email_domain', a.domain)) as e (kind, entity)
           where e.entity is not null) k
   group by k.client_id, k.livemode, k.kind, k.entity
   order by k.client_id collate "C", k.livemode, k.kind collate "C", k.entity collate "C"
  on conflict (client_id, livemode, kind, entity) do update
    set total = c.total + excluded.total, small_total = c.small_total + excluded.small_total,
        minutes = risk_marks(c.minutes, c.total, excluded.upto - c.upto, 60), small = risk_marks(c.small, c.small_total, excluded.upto - c.upto, 60),
        hours = risk_marks(c.hours, c.total, excluded.upto / 60 - c.upto / 60, 24),
        days = risk_marks(c.days, c.total, excluded.upto / 1440 - c.upto / 1440, 30),
        upto = greatest(c.upto, excluded.upto), seen_on = greatest(c.seen_on, excluded.seen_on);
end $$;
