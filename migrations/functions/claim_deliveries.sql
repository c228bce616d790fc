-- Claims deliveries that are due, for one instance to send. A claim counts the attempt and stores it before it is sent, and
-- moves the due time past a lease: what a killed process leaves behind is tried again by whoever comes next.
--
-- It walks from endpoint to endpoint along webhook_deliveries_due, so a long queue of one costs the others nothing. Every
-- endpoint's first lane comes before any second one, the longest due first. Failing endpoints have slots of their own, so that
-- many receivers that hang cannot take the place of those that answer.
--
-- p_limits: {"slots", "failing_slots", "lanes", "failing_lanes" (per endpoint), "lease_seconds"}
-- p_in_flight: how many each endpoint has under way on this instance, {endpoint id: count}
create or replace function claim_deliveries(p_limits jsonb, p_in_flight jsonb) returns table (
  client_id text, livemode boolean, id text, attempt integer, failures integer, event_id text, event_type text, event_created_at timestamptz,
  event_data text, endpoint_id text, url text, secret text, previous_secret text, failing boolean, fails_at_will boolean
)
language sql as $$
  with recursive walk as (
    (select d.client_id, d.livemode, d.endpoint_id from webhook_deliveries d
      where d.status = 'pending' order by d.client_id, d.livemode, d.endpoint_id limit 1)
    union all
    select next.* from walk cross join lateral (
      select d.client_id, d.livemode, d.endpoint_id from webhook_deliveries d
       where d.status = 'pending' and (d.client_id, d.livemode, d.endpoint_id) > (walk.client_id, walk.livemode, walk.endpoint_id)
       order by d.client_id, d.livemode, d.endpoint_id limit 1) next
  ), endpoint as (
    select w.client_id, w.livemode, w.id, w.failing_since is not null as failing,
           coalesce((p_in_flight ->> w.id)::integer, 0) as busy,
           (p_limits ->> case when w.failing_since is null then 'lanes' else 'failing_lanes' end)::integer as lanes
      from walk join webhook_endpoints w
        on w.client_id = walk.client_id and w.livemode = walk.livemode and w.id = walk.endpoint_id and w.status = 'enabled'
  ), orphaned as (
    -- An event that was emitted while its endpoint was being disabled or deleted: nobody waits for it any more.
    update webhook_deliveries d set status = 'canceled', next_attempt_at = null
      from (select walk.client_id, walk.livemode, walk.endpoint_id from walk
            except select e.client_id, e.livemode, e.id from endpoint e) o
     where d.client_id = o.client_id and d.livemode = o.livemode and d.endpoint_id = o.endpoint_id and d.status = 'pending'
  ), due as (
    select e.client_id, e.livemode, e.failing, d.id, d.next_attempt_at,
           e.busy + row_number() over (partition by e.client_id, e.livemode, e.id order by d.next_attempt_at) as lane
      from endpoint e cross join lateral (
        select q.id, q.next_attempt_at from webhook_deliveries q
         where q.client_id = e.client_id and q.livemode = e.livemode and q.endpoint_id = e.id
           and q.status = 'pending' and q.next_attempt_at <= now()
         order by q.next_attempt_at limit greatest(e.lanes - e.busy, 0)) d
  ), chosen as (
    select t.client_id, t.livemode, t.id
      from (select due.*, row_number() over (order by lane, next_attempt_at) as turn,
                   row_number() over (partition by failing order by lane, next_attempt_at) as turn_of_its_kind from due) t
     where t.turn_of_its_kind <= (p_limits ->> case when t.failing then 'failing_slots' else 'slots' end)::integer
     order by t.turn limit greatest((p_limits ->> 'slots')::integer, 0)
  ), locked as (
    -- Due is asked again: another instance may have claimed the row since it was read.
    select d.client_id, d.livemode, d.id from webhook_deliveries d
      join chosen using (client_id, livemode, id)
     where d.status = 'pending' and d.next_attempt_at <= now()
       for update of d skip locked
  ), claimed as (
    update webhook_deliveries d
       set attempts = d.attempts + 1, next_attempt_at = now() + make_interval(secs => (p_limits ->> 'lease_seconds')::integer)
      from locked where d.client_id = locked.client_id and d.livemode = locked.livemode and d.id = locked.id
    returning d.client_id, d.livemode, d.id, d.endpoint_id, d.event_id, d.event_type, d.attempts
  ), stored as (
    insert into webhook_attempts (client_id, livemode, delivery_id, attempt)
    select c.client_id, c.livemode, c.id, c.attempts from claimed c
  )
  select c.client_id, c.livemode, c.id, c.attempts,
         -- Attempts that a killed process never made do not count against the receiver.
         (select count(*)::integer from webhook_attempts a
           where a.client_id = c.client_id and a.livemode = c.livemode and a.delivery_id = c.id and a.duration_ms is not null),
         c.event_id, c.event_type, v.created_at, v.data::text,
         w.id, w.url, w.secret, case when w.previous_secret_expires_at > now() then w.previous_secret end, w.failing_since is not null,
         w.test_failures_left > 0
    from claimed c
    join webhook_endpoints w on w.client_id = c.client_id and w.livemode = c.livemode and w.id = c.endpoint_id
    join events v on v.client_id = c.client_id and v.livemode = c.livemode and v.id = c.event_id;
$$;
