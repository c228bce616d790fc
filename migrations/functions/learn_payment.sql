-- Adds a payment that has come to a good end to what is usual for its client. Called where the client's ledger accounts are locked anyway.
create or replace function learn_payment(p_client text, p_livemode boolean, p_currency text, p_amount_minor numeric) returns void
language plpgsql as $$
declare
  v_hour integer := extract(hour from now() at time zone 'UTC') + 1;
begin
  insert into risk_profiles as f (client_id, livemode, subject, currency, count, total_minor, max_minor, hours)
  values (p_client, p_livemode, 'payment', p_currency, 1, p_amount_minor, p_amount_minor,
          array_fill(0, array[v_hour - 1]) || 1::bigint || array_fill(0, array[24 - v_hour])::bigint[])
  on conflict (client_id, livemode, subject, currency) do update
    set count = f.count + 1, total_minor = f.total_minor + excluded.total_minor, max_minor = greatest(f.max_minor, excluded.max_minor),
        hours = f.hours[:v_hour - 1] || (f.hours[v_hour] + 1) || f.hours[v_hour + 1:], updated_at = now();
end $$;
