-- Adds a payment that has come to a good end to what is usual for its client and its customer. Called where the client's ledger accounts
-- are locked anyway. What is merely tried teaches nothing: it would teach what its author wants.
--
-- p_learn: {"currency", "amount_minor", "small", "customer" or null}
create or replace function learn_payment(p_client text, p_livemode boolean, p_payment text, p_learn jsonb) returns void
language plpgsql as $$
declare
  v_hour integer := extract(hour from now() at time zone 'UTC') + 1;
  v_amount numeric := (p_learn ->> 'amount_minor')::numeric;
begin
  insert into risk_sightings (client_id, livemode, kind, entity, at, subject_id, amount_minor, currency, small)
  select p_client, p_livemode, s.kind, s.entity, clock_timestamp(), p_payment, v_amount, p_learn ->> 'currency', (p_learn ->> 'small')::boolean
    from (values ('paid.client', p_client), ('paid.customer', p_learn ->> 'customer')) as s (kind, entity)
   where s.entity is not null;
  insert into risk_profiles as f (client_id, livemode, subject, currency, count, total_minor, max_minor, hours)
  values (p_client, p_livemode, 'payment', p_learn ->> 'currency', 1, v_amount, v_amount,
          array_fill(0, array[v_hour - 1]) || 1::bigint || array_fill(0, array[24 - v_hour])::bigint[])
  on conflict (client_id, livemode, subject, currency) do update
    set count = f.count + 1, total_minor = f.total_minor + excluded.total_minor, max_minor = greatest(f.max_minor, excluded.max_minor),
        hours = f.hours[:v_hour - 1] || (f.hours[v_hour] + 1) || f.hours[v_hour + 1:], updated_at = now();
end $$;
