-- What the learned model looks at in the database beside the payment itself: the customer's payments among the newest 200 sightings of
-- the last 30 days, and the client's finished days of the last 60. What was stopped was no payment and teaches nothing.
--
-- Answers {"recent": [[milliseconds since 1970, amount in minor units as text, whether it is known as a fraud], …], oldest first,
--          "days": [[day counted from 1970, payments, known frauds, those of ordinary amounts], …], oldest first}
create or replace function risk_model_facts(p_client text, p_livemode boolean, p_customer text, p_currency text) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'recent', (
      select coalesce(jsonb_agg(jsonb_build_array(floor(extract(epoch from s.at) * 1000), s.amount_minor::text, coalesce(l.label = 'fraud', false))
                                order by s.at), '[]')
        from (select r.at, r.subject_id, r.amount_minor, r.currency from risk_sightings r
               where r.client_id = p_client and r.livemode = p_livemode and r.kind = 'payment.customer' and r.entity = p_customer
                 and r.at > clock_timestamp() - interval '30 days'
               order by r.at desc limit 200) s
        left join risk_labels l on l.client_id = p_client and l.livemode = p_livemode and l.subject_id = s.subject_id
       where s.currency = p_currency
         and not exists (select from risk_assessments a
                          where a.client_id = p_client and a.livemode = p_livemode and a.subject_id = s.subject_id and a.decision = 'block')),
    'days', (
      select coalesce(jsonb_agg(jsonb_build_array(d.day - date '1970-01-01', d.payments, d.known_frauds, d.ordinary_frauds) order by d.day), '[]')
        from risk_client_days d
       where d.client_id = p_client and d.livemode = p_livemode and d.day > (clock_timestamp() at time zone 'UTC')::date - 60));
end $$;
