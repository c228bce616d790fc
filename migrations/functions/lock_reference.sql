-- Lets those who count money under one name of a provider's take turns, whichever book they count it in: it is credited or kept
-- aside, never both. Held until the transaction ends; always taken after the payment and the inbox event.
create or replace function lock_reference(p_provider text, p_reference text) returns void
language sql as $$
  select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'reference', p_provider, p_reference), 0));
$$;
