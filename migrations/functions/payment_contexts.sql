-- Everything that the assessments of several payments look at, in one call, however long the history is: of a customer and of an
-- address at most the newest 200 payments or sightings of the last 30 days, along one index, and single rows of all else. Payments are by
-- far the most frequent of what is assessed, and starting such a statement costs several times what one payment more in it costs; all
-- others ask risk_context.
--
-- One array for each thing that is asked, with one element for each payment; null where the payer did not tell. p_ip: the address itself,
-- p_subjects: what may stand on a list, a line each, p_country: whether the addresses where the customer was seen before are asked for.
-- Arrays, because to take objects apart was a third of the look. p_small: the largest small amount of each currency, in minor units.
-- p_model: whether a learned model may be in force.
-- Answers as many rows, in that order: revision of the rules; counters; "ip_recent": [small amounts in the last hour, different customers in
-- the last 10 minutes]; "paid": [how many, their mean] of the customer in this currency; "places": the addresses of the customer's newest
-- payments that were let through, the newest first; null for none.
-- "customer" and "ip" are their payments; "customer_noted" and "ip_noted" hold what became no payment or failed, by kind.
-- "client" and "email_domain" are added up by whoever asks, as that took a fifth of the look; see running_counter. The other counters are
-- how often in the last 10 minutes, hour, day, 30 days, and the seconds since the oldest.
-- Ages come the newest first, so that counting those within a window is a search for its place among them; identifiers of payments begin
-- with their time, so their index has them in that order.
-- The plan is the general one, and kept; other ways than the indexes are off because a plan that was made while there was little to see
-- would read and sort all of a busy client later. For the same reason payments are asked for from one pair to another, in the order of
-- the one index that has it: the primary key has their order too, and all of the client.
create or replace function payment_contexts(
  p_client text[], p_livemode boolean[], p_currency text[], p_customer text[], p_network text[], p_domain text[], p_ip inet[], p_subjects text[],
  p_country boolean[], p_small jsonb, p_model boolean)
returns table (
  revision float8, client json, customer jsonb, customer_noted jsonb, ip jsonb, ip_noted jsonb, failed_logins jsonb, email_domain json,
  ip_recent jsonb, paid jsonb, places text[], profile jsonb, blocks jsonb, hits jsonb, model jsonb)
language plpgsql stable rows 16 set plan_cache_mode = force_generic_plan set enable_bitmapscan = off set enable_seqscan = off set enable_sort = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_10m timestamptz := v_now - interval '10 minutes';
  v_1h timestamptz := v_now - interval '1 hour';
  v_30d timestamptz := v_now - interval '30 days';
  v_first text := first_id('pay', v_30d);
  v_first_1h text := first_id('pay', v_1h);
  v_last constant text := 'pay_g';
  -- Mostly there is none at all, and nothing has to be looked for.
  v_blocked boolean := exists (select from risk_guard_blocks b where b.blocked_until > v_now);
  v_listed boolean := exists (select from risk_list_entries);
  v_revision float8 := (select d.revision from risk_definitions d order by d.revision desc limit 1);
begin
  return query
  with asked as materialized (
    select a.n, a.client_id collate "C" as client_id, a.livemode, a.currency, a.customer collate "C" as customer, a.network collate "C" as network,
           a.domain collate "C" as domain, a.ip, string_to_array(a.subjects, e'\n') as subjects, a.country
      from unnest(p_client, p_livemode, p_currency, p_customer, p_network, p_domain, p_ip, p_subjects, p_country)
           with ordinality as a (client_id, livemode, currency, customer, network, domain, ip, subjects, country, n)
  ), clients as materialized (
    select c.client_id, c.livemode, running_counter(r, v_now) as counter
      from (select distinct a.client_id, a.livemode from asked a) c
      join risk_counters r on r.client_id = c.client_id and r.livemode = c.livemode and r.kind = 'client' and r.entity = c.client_id
  ), profiles as materialized (
    select c.client_id, c.livemode, c.currency,
           jsonb_build_object('count', f.count, 'mean_minor', round(f.total_minor / f.count)::text, 'max_minor', f.max_minor::text,
                              'hour', f.hours[extract(hour from v_now at time zone 'UTC') + 1]) as usual
      from (select distinct a.client_id, a.livemode, a.currency from asked a) c
      join risk_profiles f
        on f.client_id = c.client_id and f.livemode = c.livemode and f.subject = 'payment' and f.currency = c.currency
  )
  select v_revision, (select c.counter from clients c where c.client_id = a.client_id and c.livemode = a.livemode),
         risk_counter(s.customer),
         case when s.customer_noted then (
           select jsonb_object_agg(k.kind, risk_counter(array(
                    select v_now - r.at from risk_sightings r
                     where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = k.kind and r.entity = a.customer
                       and r.at > v_30d order by r.at desc limit 200)))
             from (values ('failed.customer'), ('stopped.customer')) as k (kind)) end,
         risk_counter(s.ip),
         case when s.ip_noted then (
           select jsonb_object_agg(k.kind, risk_counter(array(
                    select v_now - r.at from risk_sightings r
                     where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = k.kind and r.entity = a.network
                       and r.at > v_30d order by r.at desc limit 200)))
             from (values ('failed.ip'), ('stopped.ip')) as k (kind)) end,
         risk_counter(s.failed_logins),
         (select running_counter(r, v_now) from risk_counters r
           where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = 'email_domain' and r.entity = a.domain),
         case when s.ip <> '{}' or s.ip_noted then (
           select jsonb_build_array(count(*) filter (where n.small), count(distinct n.peer) filter (where n.at > v_10m))
             from ((select p.created_at as at, coalesce(p.customer, lower(p.payer ->> 'email')) as peer,
                           p.amount_minor <= (p_small ->> p.currency)::numeric as small
                      from payments p
                     where p.client_id = a.client_id and p.livemode = a.livemode and p.payer_network is not null
                       and (p.payer_network, p.id) >= (a.network, v_first_1h) and (p.payer_network, p.id) < (a.network, v_last)
                     order by p.payer_network desc, p.id desc limit 200)
                   union all
                   (select r.at, r.peer, r.small from risk_sightings r
                     where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = 'stopped.ip' and r.entity = a.network
                       and r.at > v_1h order by r.at desc limit 200)) n) end,
         case when s.customer_noted then (
           select jsonb_build_array(count(*), round(avg(n.amount_minor) filter (where n.currency = a.currency))::text) from (
             select r.amount_minor, r.currency from risk_sightings r
              where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = 'paid.customer' and r.entity = a.customer
                and r.at > v_30d order by r.at desc limit 200) n
           having count(*) > 0) end,
         case when a.country and s.customer <> '{}' then array(
           select p.payer ->> 'ip' from payments p
            where p.client_id = a.client_id and p.livemode = a.livemode and p.customer is not null
              and (p.customer, p.id) >= (a.customer collate "default", v_first) and (p.customer, p.id) < (a.customer collate "default", v_last)
              and p.payer ? 'ip' and p.risk ->> 'decision' = 'allow' order by p.customer desc, p.id desc limit 20) end,
         (select f.usual from profiles f where f.client_id = a.client_id and f.livemode = a.livemode and f.currency = a.currency),
         case when v_blocked then (
           select jsonb_agg(jsonb_build_object('guard', b.guard, 'reason', b.reason, 'until', b.blocked_until))
             from (values ('customer', a.customer), ('ip', a.network)) as g (guard, entity)
             join risk_guard_blocks b
               on b.client_id = a.client_id and b.livemode = a.livemode and b.guard = g.guard and b.entity = g.entity and b.blocked_until > v_now) end,
         case when v_listed then (
           select jsonb_agg(jsonb_build_object('list', h.list, 'kind', h.kind, 'value', h.value, 'reason', h.reason))
             from risk_entries_of(a.client_id, a.ip, a.subjects) h) end,
         case when p_model then risk_model_facts(a.client_id, a.livemode, a.customer, a.currency) end
    from asked a
   cross join lateral (
     select array(select v_now - p.created_at from payments p
                   where p.client_id = a.client_id and p.livemode = a.livemode and p.customer is not null
                     and (p.customer, p.id) >= (a.customer collate "default", v_first) and (p.customer, p.id) < (a.customer collate "default", v_last)
                   order by p.customer desc, p.id desc limit 200) as customer,
            array(select v_now - p.created_at from payments p
                   where p.client_id = a.client_id and p.livemode = a.livemode and p.payer_network is not null
                     and (p.payer_network, p.id) >= (a.network, v_first) and (p.payer_network, p.id) < (a.network, v_last)
                   order by p.payer_network desc, p.id desc limit 200) as ip,
            -- Of most payers nothing is noted: one search says so for all kinds.
            (select true from risk_sightings r
              where r.client_id = a.client_id and r.livemode = a.livemode and r.kind in ('failed.customer', 'paid.customer', 'stopped.customer')
                and r.entity = a.customer limit 1) as customer_noted,
            (select true from risk_sightings r
              where r.client_id = a.client_id and r.livemode = a.livemode and r.kind in ('failed.ip', 'stopped.ip')
                and r.entity = a.network limit 1) as ip_noted,
            array(select v_now - r.at from risk_sightings r
                   where r.client_id = 'people' and r.livemode = false and r.kind = 'login_failed.ip' and r.entity = a.network
                     and r.at > v_30d order by r.at desc limit 200) as failed_logins
     offset 0) s
   order by a.n;
end $$;
