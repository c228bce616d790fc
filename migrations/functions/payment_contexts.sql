-- Everything that the assessments of several payments look at, in one call, however long the history is: of a customer and of an
-- address at most the newest 200 payments or sightings of the last 30 days, along one index, and single rows of all else. Payments are by
-- far the most frequent of what is assessed, and starting such a statement costs several times what one payment more in it costs; all
-- others ask risk_context.
--
-- A text for each thing that is asked, see elements, with one element for each payment; none where the payer did not tell. p_ip: the address
-- itself, p_subjects: what may stand on a list, a line each, p_country: whether the addresses where the customer was seen before are asked for.
-- p_small: the largest small amount of each currency, in minor units. p_model: whether a learned model may be in force.
-- Answers as many rows: n, for which of them, from 1; revision of the rules; "client" and "email_domain": see running_counter; "customer" and "ip": their
-- payments, see risk_counter; "customer_noted": see there; "ip_failures", "ip_stopped": what failed or became no payment; "ip_recent": see
-- network_recent; "places": see customer_places; "profile": [how many, their sum, the largest, how many in this hour of the day] of what is usual
-- for the client in this currency, in minor units; null for none.
-- Ages come the newest first, so that counting those within a window is a search for its place among them; identifiers of payments begin
-- with their time, so their index has them in that order.
-- The plan is the general one, and kept; other ways than the indexes are off because a plan that was made while there was little to see
-- would read and sort all of a busy client later. For the same reason payments are asked for from one pair to another, in the order of
-- the one index that has it: the primary key has their order too, and all of the client.
-- What few payments need stands in functions of its own: to make a part of a plan ready costs as much as to run it, for every statement.
create or replace function payment_contexts(
  p_client text, p_livemode text, p_currency text, p_customer text, p_network text, p_domain text, p_ip text, p_subjects text, p_country text,
  p_small jsonb, p_model boolean)
returns table (
  n integer, revision float8, client json, customer jsonb, customer_noted jsonb, ip jsonb, ip_failures jsonb, ip_stopped jsonb, failed_logins jsonb,
  email_domain json, ip_recent jsonb, places text[], profile json, blocks jsonb, hits jsonb, model jsonb)
language plpgsql stable rows 16 set plan_cache_mode = force_generic_plan set enable_bitmapscan = off set enable_seqscan = off set enable_sort = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_minute bigint := floor(extract(epoch from v_now) / 60);
  v_hour integer := extract(hour from v_now at time zone 'UTC') + 1;
  v_first text := first_id('pay', v_now - interval '30 days');
  v_first_1h text := first_id('pay', v_now - interval '1 hour');
  v_last constant text := 'pay_g';
begin
  return query
  with asked as materialized (
    select a.n, a.client_id collate "C" as client_id, a.livemode, a.currency, a.customer collate "C" as customer, a.network collate "C" as network,
           a.domain collate "C" as domain, a.ip, a.subjects, a.country
      from unnest(elements(p_client), elements(p_livemode)::boolean[], elements(p_currency), elements(p_customer), elements(p_network), elements(p_domain),
                  elements(p_ip)::inet[], elements(p_subjects), elements(p_country)::boolean[])
           with ordinality as a (client_id, livemode, currency, customer, network, domain, ip, subjects, country, n)
  )
  select a.n::integer, (select d.revision::float8 from risk_definitions d order by d.revision desc limit 1),
         (select running_counter(r, v_minute, v_now) from risk_counters r
           where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = 'client' and r.entity = a.client_id),
         risk_counter(s.customer), case when s.customer_noted then customer_noted(a.client_id, a.livemode, a.customer, a.currency, v_now) end,
         risk_counter(s.ip), case when s.ip_noted then noted_times(a.client_id, a.livemode, 'failed.ip', a.network, v_now) end,
         case when s.ip_noted then noted_times(a.client_id, a.livemode, 'stopped.ip', a.network, v_now) end,
         risk_counter(s.failed_logins),
         (select running_counter(r, v_minute, v_now) from risk_counters r
           where r.client_id = a.client_id and r.livemode = a.livemode and r.kind = 'email_domain' and r.entity = a.domain),
         case when s.ip[1] < interval '1 hour' or s.ip_noted
              then network_recent(a.client_id, a.livemode, a.network, p_small, v_first_1h, v_last, v_now) end,
         case when a.country and s.customer <> '{}' then customer_places(a.client_id, a.livemode, a.customer, v_first, v_last) end,
         (select json_build_array(f.count, f.total_minor::text, f.max_minor::text, f.hours[v_hour])
            from risk_profiles f
           where f.client_id = a.client_id and f.livemode = a.livemode and f.subject = 'payment' and f.currency = a.currency),
         -- Mostly there is none at all, and nothing has to be looked for.
         case when exists (select from risk_guard_blocks b where b.blocked_until > v_now) then guard_blocks(a.client_id, a.livemode, a.customer, a.network, v_now) end,
         case when exists (select from risk_list_entries) then listed(a.client_id, a.ip, string_to_array(a.subjects, e'\n')) end,
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
              where r.client_id = a.client_id and r.livemode = a.livemode and r.entity = a.customer limit 1) as customer_noted,
            (select true from risk_sightings r
              where r.client_id = a.client_id and r.livemode = a.livemode and r.entity = a.network limit 1) as ip_noted,
            array(select v_now - r.at from risk_sightings r
                   where r.client_id = 'people' and r.livemode = false and r.kind = 'login_failed.ip' and r.entity = a.network
                     and r.at > v_now - interval '30 days' order by r.at desc limit 200) as failed_logins
     offset 0) s;
end $$;
