-- Everything that an assessment looks at, in one call, however long the history is: of each entity at most the newest 200 sightings of
-- the last 30 days, along the primary key, and single rows of all else.
--
-- p: {"client_id", "livemode", "currency", "profile": subject or null, "entities": array of {"kind", "value", "client_id"?, "livemode"?},
--     "lists": see risk_list_hits, "guards": array of {"guard", "entity"}, "model": {"customer"} where a learned model is in force}
-- Answers {"revision": of the rules, "counters": in the order of the entities, "profile", "hits", "blocks", "model": see risk_model_facts,
-- and null unless it was asked for}. A counter is an array:
--   0 to 3 how often in the last 10 minutes, hour, day, 30 days; 4 seconds since the oldest of these; 5 small amounts in the last hour;
--   6 different peers in the last 10 minutes; 7, 8 mean and largest amount in p's currency; 9 seconds since the newest; 10 its country.
create or replace function risk_context(p jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_client text := p ->> 'client_id';
  v_livemode boolean := (p ->> 'livemode')::boolean;
  v_now timestamptz := clock_timestamp();
begin
  return jsonb_build_object(
    'revision', (select d.revision from risk_definitions d order by d.revision desc limit 1),
    'counters', (
      select jsonb_agg(c.figures order by e.n)
        from rows from (jsonb_to_recordset(p -> 'entities') as (kind text, value text, client_id text, livemode boolean))
               with ordinality as e (kind, value, client_id, livemode, n)
       cross join lateral (
         select jsonb_build_array(
                  count(*) filter (where s.at > v_now - interval '10 minutes'), count(*) filter (where s.at > v_now - interval '1 hour'),
                  count(*) filter (where s.at > v_now - interval '1 day'), count(*), extract(epoch from v_now - min(s.at)),
                  count(*) filter (where s.small and s.at > v_now - interval '1 hour'),
                  count(distinct s.peer) filter (where s.at > v_now - interval '10 minutes'),
                  round(avg(s.amount_minor) filter (where s.currency = p ->> 'currency'))::text,
                  (max(s.amount_minor) filter (where s.currency = p ->> 'currency'))::text,
                  extract(epoch from v_now - max(s.at)), (array_agg(s.country order by s.at desc) filter (where s.country is not null))[1]) as figures
           from (select at, small, peer, amount_minor, currency, country from risk_sightings r
                  where r.client_id = coalesce(e.client_id, v_client) and r.livemode = coalesce(e.livemode, v_livemode)
                    and r.kind = e.kind and r.entity = e.value and r.at > v_now - interval '30 days'
                  order by r.at desc limit 200) s
       ) c),
    'profile', (
      select jsonb_build_object('count', f.count, 'mean_minor', round(f.total_minor / f.count)::text, 'max_minor', f.max_minor::text,
                                'hour', f.hours[extract(hour from v_now at time zone 'UTC') + 1])
        from risk_profiles f
       where f.client_id = v_client and f.livemode = v_livemode and f.subject = p ->> 'profile' and f.currency = p ->> 'currency'),
    'hits', case when p -> 'lists' <> '{}' then risk_list_hits(v_client, p -> 'lists') end,
    'blocks', (
      select jsonb_agg(jsonb_build_object('guard', b.guard, 'reason', b.reason, 'until', b.blocked_until))
        from jsonb_to_recordset(p -> 'guards') as g (guard text, entity text)
        join risk_guard_blocks b
          on b.client_id = v_client and b.livemode = v_livemode and b.guard = g.guard and b.entity = g.entity and b.blocked_until > v_now),
    'model', case when p ? 'model' then risk_model_facts(v_client, v_livemode, p -> 'model' ->> 'customer', p ->> 'currency') end);
end $$;
