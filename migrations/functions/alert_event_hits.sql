-- Hits of all enabled rules that count security events, for each group that has reached its threshold or has an alert that they are to
-- be added to. Each kind and each severity walks its own index, over its newest 10,000 rows at most, so that a flood costs no more.
-- A row of the log is a minute of one kind and source; it counts from its first event on.
create or replace function alert_event_hits()
returns table (rule text, group_key text, alert_id text, hits bigint, figures jsonb, first_at timestamptz, last_at timestamptz)
language sql stable as $$
  with recent as materialized (select * from recent_alerts()),
  rules as materialized (
    select r.name, r.kinds, r.severities, r.grouped_by, r.threshold, w.since,
           -- Identifiers carry the time of the instance that made them; a minute covers what clocks differ.
           'sev_' || lpad(to_hex((extract(epoch from least(w.since, c.first_at) - interval '1 minute') * 1000)::bigint), 12, '0') as from_id,
           -- What a critical rule of its own tells of is not told twice.
           (select coalesce(array_agg(k), '{}') from alert_rules o, unnest(o.kinds) k
             where o.enabled and o.measure = 'security_events' and o.severity = 'critical' and o.threshold = 1) as told_elsewhere
      from alert_rules r
      cross join lateral (select now() - make_interval(secs => r.window_seconds) as since) w
      cross join lateral (select min(a.first_at) as first_at from recent a where a.rule = r.name and a.quiet_until > now()) c
     where r.enabled and r.measure = 'security_events'
  ),
  events as (
    select r.name, r.grouped_by, r.threshold, r.since, e.*
      from rules r
      cross join lateral unnest(r.kinds) k(kind)
      cross join lateral (
        select s.id, s.kind, s.source, s.actor_id, s.action, s.count, s.occurred_at, s.last_at
          from security_events s where s.kind = k.kind and s.id >= r.from_id order by s.id desc limit 10000) e
    union all
    select r.name, r.grouped_by, r.threshold, r.since, e.*
      from rules r
      cross join lateral unnest(r.severities) v(severity)
      cross join lateral (
        select s.id, s.kind, s.source, s.actor_id, s.action, s.count, s.occurred_at, s.last_at
          from security_events s
         where s.severity = v.severity and s.id >= r.from_id and s.kind <> all (r.told_elsewhere) order by s.id desc limit 10000) e
  ),
  grouped as (
    select e.*, case e.grouped_by when 'all' then '' when 'kind' then e.kind when 'source' then e.source else e.actor_id end as group_key
      from events e
  )
  select g.name, g.group_key, c.id, sum(g.count)::bigint,
         jsonb_build_object('kinds', array_agg(distinct g.kind), 'sources', count(distinct g.source),
                            'last_event', max(g.id), 'last_action', (array_agg(g.action order by g.id desc))[1]),
         min(g.occurred_at), max(g.last_at)
    from grouped g
    left join recent a on a.rule = g.name and a.group_key = g.group_key
    left join recent c on c.id = a.id and c.quiet_until > now()
   where g.group_key is not null
     and g.occurred_at >= case when c.id is not null then c.first_at else greatest(g.since, a.quiet_until) end
   group by g.name, g.group_key, g.threshold, c.id, c.count
  having case when c.id is not null then sum(g.count) > c.count else sum(g.count) >= g.threshold end;
$$;
