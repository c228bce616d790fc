-- Everything that an assessment looks at, in one call, however long the history is: of each entity at most the newest 200 sightings of
-- the last 30 days, along the primary key, and single rows of all else.
--
-- p: {"client_id", "livemode", "currency", "profile": subject or null, "entities": array of {"kind", "value", "client_id"?, "livemode"?},
--     "lists": see risk_list_hits, "guards": array of {"guard", "entity"}, "model": {"customer"} where a learned model is in force}
-- Answers {"revision": of the rules, "counters": in the order of the entities, "profile", "hits", "blocks", "model": see risk_model_facts,
-- and null unless it was asked for}. A counter is an array:
--   0 to 3 how often in the last 10 minutes, hour, day, 30 days; 4 seconds since the oldest of these; 5 small amounts in the last hour;
--   6 the peers of the last 10 minutes, or null; 7, 8 mean and largest amount in p's currency; 9 seconds since the newest; 10 its country.
-- Planning it costs several times what running it costs, so the plan is the general one, and kept. Other ways than the index are off because
-- one that was made while there was little to see would read and sort all of a
-- busy client later.
create or replace function risk_context(p jsonb) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_bitmapscan = off set enable_seqscan = off set enable_sort = off as $$
declare
  v_client text := p ->> 'client_id';
  v_livemode boolean := p -> 'livemode';
  v_currency text := p ->> 'currency';
  v_now timestamptz := clock_timestamp();
  v_10m timestamptz := v_now - interval '10 minutes';
  v_1h timestamptz := v_now - interval '1 hour';
  v_1d timestamptz := v_now - interval '1 day';
  v_30d timestamptz := v_now - interval '30 days';
begin
  return jsonb_build_object(
    'revision', (select d.revision from risk_definitions d order by d.revision desc limit 1),
    'counters', (
      select jsonb_agg(case when c.n30d > 0 then jsonb_build_array(
               c.n10m, c.n1h, c.n1d, c.n30d, extract(epoch from v_now - c.oldest)::float8, c.small, c.peers, round(c.mean)::text, c.largest::text,
               extract(epoch from v_now - c.newest)::float8, c.country) end order by e.n)
        from rows from (jsonb_to_recordset(p -> 'entities') as (kind text, value text, client_id text, livemode boolean))
               with ordinality as e (kind, value, client_id, livemode, n)
       cross join lateral (
         select count(*) as n30d, count(*) filter (where s.at > v_10m) as n10m, count(*) filter (where s.at > v_1h) as n1h,
                count(*) filter (where s.at > v_1d) as n1d, min(s.at) as oldest, max(s.at) as newest,
                count(*) filter (where s.small and s.at > v_1h) as small, (array_agg(s.country) filter (where s.country is not null))[1] as country,
                array_agg(s.peer) filter (where s.peer is not null and s.at > v_10m) as peers,
                avg(s.amount_minor) filter (where s.currency = v_currency) as mean,
                max(s.amount_minor) filter (where s.currency = v_currency) as largest
           from (select r.at, r.small, r.peer, r.amount_minor, r.currency, r.country from risk_sightings r
                  where r.client_id = coalesce(e.client_id, v_client) and r.livemode = coalesce(e.livemode, v_livemode)
                    and r.kind = e.kind and r.entity = e.value and r.at > v_30d
                  order by r.at desc limit 200) s
       ) c),
    'profile', (
      select jsonb_build_object('count', f.count, 'mean_minor', round(f.total_minor / f.count)::text, 'max_minor', f.max_minor::text,
                                'hour', f.hours[extract(hour from v_now at time zone 'UTC') + 1])
        from risk_profiles f
       where f.client_id = v_client and f.livemode = v_livemode and f.subject = p ->> 'profile' and f.currency = v_currency),
    'hits', case when p -> 'lists' <> '{}' then risk_list_hits(v_client, p -> 'lists') end,
    'blocks', (
      select jsonb_agg(jsonb_build_object('guard', b.guard, 'reason', b.reason, 'until', b.blocked_until))
        from jsonb_to_recordset(p -> 'guards') as g (guard text, entity text)
        join risk_guard_blocks b
          on b.client_id = v_client and b.livemode = v_livemode and b.guard = g.guard and b.entity = g.entity and b.blocked_until > v_now),
    'model', case when p ? 'model' then risk_model_facts(v_client, v_livemode, p -> 'model' ->> 'customer', v_currency) end);
end $$;
