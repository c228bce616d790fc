-- Hits of the rules that count something else than security events alone; all of them have one group. Webhook failures are attempts that
-- failed and events of providers that were refused. A rate looks at the time of the newest 1,000 failures, so it reads no more than
-- as many attempts as could make it too small. Sensitive operations are compared with the seven days before the window.
create or replace function alert_other_hits()
returns table (rule text, group_key text, alert_id text, hits bigint, figures jsonb, first_at timestamptz, last_at timestamptz)
language sql stable as $$
  with recent as materialized (select * from recent_alerts()),
  rules as materialized (
    select r.*, c.id as alert_id, c.count as counted, make_interval(secs => r.window_seconds) as span,
           case when c.id is not null then c.first_at else greatest(now() - make_interval(secs => r.window_seconds), a.quiet_until) end as since
      from alert_rules r
      left join recent a on a.rule = r.name and a.group_key = ''
      left join recent c on c.id = a.id and c.quiet_until > now()
     where r.enabled and r.measure <> 'security_events'
  ),
  refused as (
    select r.name, coalesce(sum(e.count), 0)::bigint as hits, min(e.occurred_at) as first_at, max(e.last_at) as last_at
      from rules r
      left join lateral unnest(r.kinds) k(kind) on true
      left join lateral (
        select s.count, s.occurred_at, s.last_at from security_events s
         where s.kind = k.kind and s.occurred_at >= r.since
           and s.id >= 'sev_' || lpad(to_hex((extract(epoch from r.since - interval '1 minute') * 1000)::bigint), 12, '0')
         order by s.id desc limit 10000) e on true
     where r.measure = 'webhook_failures'
     group by r.name
  ),
  failed as (
    select r.name, f.hits, f.endpoints, f.first_at, f.last_at
      from rules r
      cross join lateral (
        select count(*) as hits, count(distinct d.endpoint_id) as endpoints, min(n.started_at) as first_at, max(n.started_at) as last_at
          from (select w.client_id, w.livemode, w.delivery_id, w.started_at from webhook_attempts w
                 where w.error is not null and w.started_at >= r.since order by w.started_at desc limit 1000) n
          join webhook_deliveries d on d.client_id = n.client_id and d.livemode = n.livemode and d.id = n.delivery_id) f
     where r.measure in ('webhook_failures', 'webhook_failure_rate')
  ),
  measured as (
    select r.name, f.hits + x.hits as hits, f.hits + x.hits >= r.threshold as reached,
           jsonb_build_object('outbound', f.hits, 'endpoints', f.endpoints, 'inbound', x.hits) as figures,
           least(f.first_at, x.first_at) as first_at, greatest(f.last_at, x.last_at) as last_at
      from rules r join failed f using (name) join refused x using (name)
     where r.measure = 'webhook_failures'
    union all
    select r.name, f.hits, t.attempts >= r.at_least and f.hits * 100 > r.threshold * t.attempts,
           jsonb_build_object('failures', f.hits, 'attempts', t.attempts, 'endpoints', f.endpoints,
                              'percent', round(f.hits * 100.0 / greatest(t.attempts, 1), 1)),
           f.first_at, f.last_at
      from rules r join failed f using (name)
      cross join lateral (
        select count(*) as attempts
          from (select from webhook_attempts w
                 where w.started_at >= case when f.hits < 1000 then r.since else f.first_at end
                 limit case when f.hits = 0 then 0 else greatest(f.hits * 100 / r.threshold + 1, r.at_least) end) w) t
     where r.measure = 'webhook_failure_rate'
    union all
    select r.name, n.hits, n.hits >= r.at_least and n.hits >= r.threshold * greatest(b.usual, 1),
           jsonb_build_object('usual', round(b.usual, 2), 'actors', n.actors, 'kinds', n.kinds), n.first_at, n.last_at
      from rules r
      cross join lateral (
        select count(*) as hits, count(distinct e.actor_id) as actors, coalesce(array_agg(distinct e.kind), '{}') as kinds,
               min(e.occurred_at) as first_at, max(e.occurred_at) as last_at
          from sensitive_operations(r.since) e) n
      cross join lateral (
        select count(*) * extract(epoch from r.span) / 604800 as usual
          from sensitive_operations(now() - r.span - interval '7 days') e
         where e.occurred_at < now() - r.span and n.hits >= r.at_least) b
     where r.measure = 'sensitive_operations'
  )
  select r.name, '', r.alert_id, m.hits, m.figures, m.first_at, m.last_at
    from rules r join measured m using (name)
   where m.hits > 0 and case when r.alert_id is not null then m.hits > r.counted else m.reached end;
$$;
