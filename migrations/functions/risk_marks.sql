-- The marks of a running counter, the newest first, after so many minutes, hours or days have begun since; at most p_size of them. Each says
-- what the total was when its time began, and p_total is what it is before something is added: the total of every time that has begun since.
-- What comes late is of the newest. Where nothing came since the oldest of them, one says it for all. Inlined into whatever asks.
create or replace function risk_marks(p_marks bigint[], p_total bigint, p_begun bigint, p_size integer) returns bigint[]
language sql immutable as $$
  select case when p_begun <= 0 then p_marks
              when p_begun >= p_size or p_total = p_marks[cardinality(p_marks)] then array[p_total]
              else array_fill(p_total, array[p_begun::integer]) || p_marks[:p_size - p_begun::integer] end
$$;
