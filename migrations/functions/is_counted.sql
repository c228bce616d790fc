-- Whether money under this name was counted in a book before: credited to a payment, or kept as an unmatched deposit.
create or replace function is_counted(p_client text, p_livemode boolean, p_provider text, p_reference text) returns boolean
language sql stable as $$
  select exists (select from payment_receipts
                  where client_id = p_client and livemode = p_livemode and provider = p_provider and reference = p_reference)
      or exists (select from unmatched_deposits where provider = p_provider and reference = p_reference);
$$;
