-- The elements of a text that SharedRounds sends for many rows: parted by the record separator, which no value has, and null where there is
-- nothing between. An array in its place would have to be quoted by the process. Inlined into whatever asks.
create or replace function elements(p_text text) returns text[]
language sql immutable as $$
  select string_to_array(p_text, e'\x1e', '')
$$;
