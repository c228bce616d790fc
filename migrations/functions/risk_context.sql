-- Everything that the assessment of a withdrawal, refund or login looks at, in one call, however long the history is: of each entity at most
-- the newest 200 sightings of the last 30 days, along the primary key, and single rows of all else. Payments ask payment_contexts.
--
-- p: {"client_id", "livemode", "currency", "entities": array of {"kind", "value", "client_id"?, "livemode"?}, "lists": see risk_list_hits,
--     "guards": array of {"guard", "entity"}}
-- Answers {"revision": of the rules, "counters": in the order of the entities, "hits", "blocks"}. A counter is an array:
--   0 to 3 how often in the last 10 minutes, hour, day, 30 days; 4 seconds since the oldest of these; 5 small amounts in the last hour;
--   6 the mean amount in p's currency; 7 the country of the newest that has one.
-- Planning it costs several times what running it costs, so the plan is the general one, and kept. Other ways than the index are off because
-- one that was made while there was little to see would read and sort all of a busy client later.
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
               c.n10m, c.n1h, c.n1d, c.n30d, extract(epoch from v_now - c.oldest)::float8, c.small,
               round(c.mean)::text, c.country) end order by e.n)
        from rows from (jsonb_to_recordset(p -> 'entities') as (kind text, value text, client_id text, livemode boolean))
               with ordinality as e (kind, value, client_id, livemode, n)
       cross join lateral (
         select count(*) as n30d, count(*) filter (where s.at > v_10m) as n10m, count(*) filter (where s.at > v_1h) as n1h,
                count(*) filter (where s.at > v_1d) as n1d, min(s.at) as oldest,
                count(*) filter (where s.small and s.at > v_1h) as small, (array_agg(s.country) filter (where s.country is not null))[1] as country,
                avg(s.amount_minor) filter (where s.currency = v_currency) as mean
           from (select r.at, r.small, r.amount_minor, r.currency, r.country from risk_sightings r
                  where r.client_id = coalesce(e.client_id, v_client) and r.livemode = coalesce(e.livemode, v_livemode)
                    and r.kind = e.kind and r.entity = e.value and r.at > v_30d
                  order by r.at desc limit 200) s
       ) c),
    'hits', case when p -> 'lists' <> '{}' then risk_list_hits(v_client, p -> 'lists') end,
    'blocks', (
      select jsonb_agg(jsonb_build_object('guard', b.guard, 'reason', b.reason, 'until', b.blocked_until))
        from jsonb_to_recordset(p -> 'guards') as g (guard text, entity text)
        join risk_guard_blocks b
          on b.client_id = v_client and b.livemode = v_livemode and b.guard = g.guard and b.entity = g.entity and b.blocked_until > v_now));
end $$;
