-- Binds a provider's reference to the payment that its money is credited to; a reference leads to one payment for ever.
-- Money that was kept as an unmatched deposit is credited once staff have assigned that deposit to this very payment.
-- CPG01: it was bound to another payment or already credited; read again and decide again.
create or replace function claim_provider_reference(p_receipt jsonb) returns void
language plpgsql as $$
declare
  v_payment text;
begin
  perform lock_reference(p_receipt ->> 'provider', p_receipt ->> 'reference');
  if exists (select from unmatched_deposits
              where provider = p_receipt ->> 'provider' and reference = p_receipt ->> 'reference'
                and not (status = 'assigned' and payment_id is not distinct from p_receipt ->> 'payment_id')) then
    raise exception 'reference % is kept as an unmatched deposit', p_receipt ->> 'reference' using errcode = 'CPG01';
  end if;
  insert into provider_references (provider, reference, client_id, livemode, payment_id)
  values (p_receipt ->> 'provider', p_receipt ->> 'reference', p_receipt ->> 'client_id',
          (p_receipt ->> 'livemode')::boolean, p_receipt ->> 'payment_id')
  on conflict do nothing;
  if not found then
    select payment_id into v_payment from provider_references
     where provider = p_receipt ->> 'provider' and reference = p_receipt ->> 'reference';
    if v_payment is distinct from p_receipt ->> 'payment_id' then
      raise exception 'reference % leads to another payment', p_receipt ->> 'reference' using errcode = 'CPG01';
    end if;
  end if;
  perform 1 from payment_receipts
   where client_id = p_receipt ->> 'client_id' and livemode = (p_receipt ->> 'livemode')::boolean
     and provider = p_receipt ->> 'provider' and reference = p_receipt ->> 'reference';
  if found then
    raise exception 'reference % is already credited', p_receipt ->> 'reference' using errcode = 'CPG01';
  end if;
end $$;
