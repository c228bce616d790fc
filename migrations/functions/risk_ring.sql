-- A row of buckets, the newest first, after so many have begun since: with p_add in the newest and at most p_size of them.
-- What comes late is added to the newest.
create or replace function risk_ring(p_ring integer[], p_begun bigint, p_add integer, p_size integer) returns integer[]
language sql immutable as $$
  select case when p_begun <= 0 then array[p_ring[1] + p_add] || p_ring[2:]
              when p_begun >= p_size then array[p_add]
              else array[p_add] || array_fill(0, array[p_begun::integer - 1]) || p_ring[:p_size - p_begun::integer] end
$$;
