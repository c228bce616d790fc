-- The transitions of src/payments/payment-state.ts, held again by the database; staying as it is is always allowed.
create or replace function payment_may_become(p_from text, p_to text) returns boolean
language sql immutable as $$
  select p_from = p_to or (p_from, p_to) in (
    ('pending', 'processing'), ('pending', 'succeeded'), ('pending', 'failed'), ('pending', 'expired'), ('pending', 'canceled'),
    ('processing', 'succeeded'), ('processing', 'failed'), ('processing', 'pending'),
    ('failed', 'succeeded'), ('failed', 'pending'),
    ('expired', 'succeeded'),
    ('processing', 'canceled'), ('failed', 'canceled'), ('failed', 'processing')
  );
$$;
