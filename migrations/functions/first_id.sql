-- The smallest identifier that an object born at that time can have, see new_id: what is younger sorts after it.
create or replace function first_id(p_prefix text, p_at timestamptz) returns text
language sql stable as $$
  select p_prefix || '_' || lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0')
$$;
