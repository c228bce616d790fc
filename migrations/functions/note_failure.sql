-- Counts a payment that failed and stops what fails too often, by the guards in force. Whoever counts for one entity waits for the
-- others, so that the failure that reaches a threshold is always noticed.
--
-- p_failure: {"client_id", "livemode", "subject_id", "at", "entities": array of {"guard", "entity", "shown"}}, or null
-- Answers the guards that have stopped something now: array of {"guard", "shown", "failures", "seconds"}, or null.
create or replace function note_failure(p_failure jsonb) returns jsonb
language plpgsql as $$
declare
  v_client text := p_failure ->> 'client_id';
  v_livemode boolean := (p_failure ->> 'livemode')::boolean;
  v_at timestamptz := (p_failure ->> 'at')::timestamptz;
  v_stopped jsonb;
begin
  if p_failure is null then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'failures', v_client, v_livemode, e.guard, e.entity), 0))
    from jsonb_to_recordset(p_failure -> 'entities') as e (guard text, entity text) order by e.guard;
  insert into risk_sightings (client_id, livemode, kind, entity, at, subject_id, small)
  select v_client, v_livemode, 'failed.' || e.guard, e.entity, v_at, p_failure ->> 'subject_id', false
    from jsonb_to_recordset(p_failure -> 'entities') as e (guard text, entity text)
  on conflict do nothing;
  with guards as (
    select distinct on (d.name) d.name, d.body from risk_definitions d where d.kind = 'guard' order by d.name, d.version desc
  ), counted as (
    select e.guard, e.entity, e.shown, n.failures, (g.body ->> 'block_seconds')::integer as seconds,
           format(g.body ->> 'reason', n.failures, round((g.body ->> 'window_seconds')::integer / 60.0)) as reason
      from jsonb_to_recordset(p_failure -> 'entities') as e (guard text, entity text, shown text)
      join guards g on g.name = e.guard and g.body ->> 'mode' = 'active'
     cross join lateral (
       select count(*)::integer as failures from (
         select from risk_sightings s
          where s.client_id = v_client and s.livemode = v_livemode and s.kind = 'failed.' || e.guard and s.entity = e.entity
            and s.at > v_at - make_interval(secs => (g.body ->> 'window_seconds')::integer)
          limit 1000) f) n
     where n.failures >= (g.body ->> 'failures')::integer
  ), stopped as (
    insert into risk_guard_blocks as b (client_id, livemode, guard, entity, failures, reason, blocked_until)
    select v_client, v_livemode, c.guard, c.entity, c.failures, c.reason, v_at + make_interval(secs => c.seconds) from counted c
     order by c.guard
    on conflict (client_id, livemode, guard, entity) do update
      set failures = excluded.failures, reason = excluded.reason, blocked_until = greatest(b.blocked_until, excluded.blocked_until)
    returning guard, entity
  )
  select jsonb_agg(jsonb_build_object('guard', c.guard, 'shown', c.shown, 'failures', c.failures, 'seconds', c.seconds)) into v_stopped
    from stopped join counted c using (guard, entity);
  return v_stopped;
end $$;
