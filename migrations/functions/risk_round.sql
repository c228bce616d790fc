-- One round trip for what payments that come together want of the rules: keeps the assessments of those that were created, then reads
-- what the next ones are decided on, which so count all that this instance has let through.
--
-- The first 15 see keep_assessments, where nothing is kept empty; the others see payment_contexts, which says what is answered.
create or replace function risk_round(
  p_client text[], p_livemode boolean[], p_id text[], p_at timestamptz[], p_amount numeric[], p_currency text[], p_small boolean[], p_score numeric[],
  p_revision bigint[], p_told jsonb[], p_customer text[], p_country text[], p_network text[], p_peer text[], p_domain text[],
  a_client text[], a_livemode boolean[], a_currency text[], a_customer text[], a_network text[], a_domain text[], a_ip inet[], a_subjects text[],
  a_country boolean[], a_model boolean[])
returns table (
  revision float8, client jsonb, small integer, customer jsonb, customer_failures jsonb, ip jsonb, ip_failures jsonb, failed_logins jsonb,
  email_domain jsonb, ip_small integer, ip_customers integer, paid jsonb, last_country text, profile jsonb, blocks jsonb, hits jsonb, model jsonb)
language plpgsql rows 16 as $$
begin
  if p_client <> '{}' then
    perform keep_assessments(p_client, p_livemode, p_id, p_at, p_amount, p_currency, p_small, p_score, p_revision, p_told, p_customer, p_country,
                             p_network, p_peer, p_domain);
  end if;
  return query select * from payment_contexts(a_client, a_livemode, a_currency, a_customer, a_network, a_domain, a_ip, a_subjects, a_country, a_model);
end $$;
