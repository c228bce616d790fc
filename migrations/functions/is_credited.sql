-- Whether money under this name was credited to a payment, in whatever book its name leads to.
create or replace function is_credited(p_provider text, p_reference text) returns boolean
language sql stable as $$
  select exists (
    select from provider_references n
      join payment_receipts r on r.client_id = n.client_id and r.livemode = n.livemode and r.provider = n.provider and r.reference = n.reference
     where n.provider = p_provider and n.reference = p_reference);
$$;
