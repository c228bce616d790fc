-- The transitions of src/withdrawals/withdrawal-state.ts, held again by the database; staying as it is is always allowed.
create or replace function withdrawal_may_become(p_from text, p_to text) returns boolean
language sql immutable as $$
  select p_from = p_to or (p_from, p_to) in (
    ('pending_review', 'approved'), ('pending_review', 'rejected'), ('pending_review', 'canceled'),
    ('approved', 'processing'), ('approved', 'failed'),
    ('processing', 'completed'), ('processing', 'failed')
  );
$$;
