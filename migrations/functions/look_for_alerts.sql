-- Everything that the alert rules have to say right now, in one look: alerts to raise, hits to add to alerts that are quiet, and alerts
-- that nobody has acknowledged in time. It changes nothing; whoever acts on it looks again under the lock.
create or replace function look_for_alerts()
returns table (act text, rule text, group_key text, alert_id text, hits bigint, figures jsonb, first_at timestamptz, last_at timestamptz)
language sql stable as $$
  select case when h.alert_id is null then 'raise' else 'add' end, h.rule, h.group_key, h.alert_id, h.hits, h.figures, h.first_at, h.last_at
    from (select * from alert_event_hits() union all select * from alert_other_hits()) h
  union all
  select 'escalate', a.rule, a.group_key, a.id, a.count, a.figures, a.first_at, a.last_at
    from alerts a
   where a.next_escalation_at <= now();
$$;
