-- How many of a running counter came since the p_back-th of its marks, see risk_marks: before those that are there nothing came, or
-- nothing that counts any more. Inlined into whatever asks.
create or replace function counted_since(p_total bigint, p_marks bigint[], p_back bigint) returns bigint
language sql immutable as $$
  select case when p_back > 0 then p_total - p_marks[least(p_back, cardinality(p_marks))] else 0 end
$$;
