-- A running counter as payment_contexts answers it, to the minute, hour and day, and the small payments of the last hour. No row where
-- nothing was ever counted. Inlined into whatever asks.
create or replace function risk_running(p_client text, p_livemode boolean, p_kind text, p_entity text, p_now timestamptz)
returns table (counter jsonb, small bigint)
language sql stable as $$
  select case when d.n30d > 0 then jsonb_build_array(m.n10m, m.n1h, h.n1d, d.n30d, least(extract(epoch from p_now - c.since), 2592000)::float8) end, m.small
    from (select r.*, floor(extract(epoch from p_now) / 60)::bigint as now from risk_counters r
           where r.client_id = p_client and r.livemode = p_livemode and r.kind = p_kind and r.entity = p_entity offset 0) c
   cross join lateral (
     select coalesce(sum(u.n) filter (where u.at <= 10 - c.now + c.upto), 0) as n10m,
            coalesce(sum(u.n) filter (where u.at <= 60 - c.now + c.upto), 0) as n1h,
            coalesce(sum(u.small) filter (where u.at <= 60 - c.now + c.upto), 0) as small
       from unnest(c.minutes, c.small) with ordinality as u (n, small, at)) m
   cross join lateral (
     select coalesce(sum(u.n) filter (where u.at <= 24 - c.now / 60 + c.upto / 60), 0) as n1d from unnest(c.hours) with ordinality as u (n, at)) h
   cross join lateral (
     select coalesce(sum(u.n) filter (where u.at <= 30 - c.now / 1440 + c.upto / 1440), 0) as n30d from unnest(c.days) with ordinality as u (n, at)) d
$$;
