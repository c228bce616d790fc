-- The addresses of the newest 20 payments of a customer that were let through, the newest first; p_first, p_last: between which identifiers.
-- For payment_contexts, whose settings it is planned with.
create or replace function customer_places(p_client text, p_livemode boolean, p_customer text, p_first text, p_last text) returns text[]
language plpgsql stable as $$
begin
  return array(
    select p.payer ->> 'ip' from payments p
     where p.client_id = p_client and p.livemode = p_livemode and p.customer is not null
       and (p.customer, p.id) >= (p_customer collate "default", p_first) and (p.customer, p.id) < (p_customer collate "default", p_last)
       and p.payer ? 'ip' and p.risk ->> 'decision' = 'allow' order by p.customer desc, p.id desc limit 20);
end $$;
