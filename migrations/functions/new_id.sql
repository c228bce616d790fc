-- A time-ordered identifier: prefix, 12 hex digits of unix milliseconds, 20 random ones; the same form as the
-- application's own (src/platform/identifiers.ts).
create or replace function new_id(p_prefix text) returns text
language sql volatile as $$
  select p_prefix || '_' || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
         || right(replace(gen_random_uuid()::text, '-', ''), 12) || left(replace(gen_random_uuid()::text, '-', ''), 8);
$$;
