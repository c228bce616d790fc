-- What the learned model looks at in the database beside the payment itself: of the customer's newest 200 payments of the last 30 days
-- those in the currency, and the client's finished days of the last 60. What was stopped was no payment and teaches nothing.
--
-- Answers {"recent": [[milliseconds since 1970, amount in minor units as text, whether it is known as a fraud], …], oldest first,
--          "days": [[day counted from 1970, payments, known frauds, those of ordinary amounts], …], oldest first}
create or replace function risk_model_facts(p_client text, p_livemode boolean, p_customer text, p_currency text) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'recent', (
      select coalesce(jsonb_agg(jsonb_build_array(floor(extract(epoch from s.created_at) * 1000), s.amount_minor::text, coalesce(l.label = 'fraud', false))
                                order by s.created_at), '[]')
        from (select p.id, p.created_at, p.amount_minor, p.currency from payments p
               where p.client_id = p_client and p.livemode = p_livemode and p.customer is not null
                 and (p.customer, p.id) >= (p_customer collate "default", first_id('pay', clock_timestamp() - interval '30 days'))
                 and (p.customer, p.id) < (p_customer collate "default", 'pay_g')
               order by p.customer desc, p.id desc limit 200) s
        left join risk_labels l on l.client_id = p_client and l.livemode = p_livemode and l.subject_id = s.id
       where s.currency = p_currency),
    'days', (
      select coalesce(jsonb_agg(jsonb_build_array(d.day - date '1970-01-01', d.payments, d.known_frauds, d.ordinary_frauds) order by d.day), '[]')
        from risk_client_days d
       where d.client_id = p_client and d.livemode = p_livemode and d.day > (clock_timestamp() at time zone 'UTC')::date - 60));
end $$;
