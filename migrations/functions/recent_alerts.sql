-- The last alert of each rule and group that still decides what a hit counts for: while it is quiet hits are added to it, and what it
-- has counted raises no second one. Windows are a day at most.
create or replace function recent_alerts()
returns table (rule text, group_key text, id text, count bigint, first_at timestamptz, quiet_until timestamptz)
language sql stable as $$
  select distinct on (a.rule, a.group_key) a.rule, a.group_key, a.id, a.count, a.first_at, a.quiet_until
    from alerts a
   where a.quiet_until > now() - interval '1 day'
   order by a.rule, a.group_key, a.id desc;
$$;
