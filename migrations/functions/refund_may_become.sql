-- The transitions of src/payments/refunds/refund-state.ts, held again by the database; staying as it is is always allowed.
create or replace function refund_may_become(p_from text, p_to text) returns boolean
language sql immutable as $$
  select p_from = p_to or (p_from, p_to) in (
    ('requires_approval', 'pending'), ('requires_approval', 'failed'),
    ('pending', 'succeeded'), ('pending', 'failed')
  );
$$;
