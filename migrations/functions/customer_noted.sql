-- What is noted of a customer beside the payments: {"failed", "stopped": see risk_counter, "paid": [how many came to a good end, their mean in
-- this currency in minor units] of the newest 200 of the last 30 days}; null for none. For payment_contexts, whose settings it is planned with.
create or replace function customer_noted(p_client text, p_livemode boolean, p_customer text, p_currency text, p_now timestamptz) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'failed', noted_times(p_client, p_livemode, 'failed.customer', p_customer, p_now),
    'stopped', noted_times(p_client, p_livemode, 'stopped.customer', p_customer, p_now),
    'paid', (
      select jsonb_build_array(count(*), round(avg(n.amount_minor) filter (where n.currency = p_currency))::text) from (
        select r.amount_minor, r.currency from risk_sightings r
         where r.client_id = p_client and r.livemode = p_livemode and r.kind = 'paid.customer' and r.entity = p_customer
           and r.at > p_now - interval '30 days' order by r.at desc limit 200) n
      having count(*) > 0));
end $$;
