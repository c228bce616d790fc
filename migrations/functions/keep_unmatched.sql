-- Keeps money that no payment takes. The provider's reference is the key: the same deposit told twice is refused here
-- (unique_violation), before anything is booked for it a second time.
create or replace function keep_unmatched(p_deposits jsonb) returns void
language sql as $$
  insert into unmatched_deposits (provider, reference, client_id, livemode, payment_id, amount_minor, currency, reason, wish, received_at)
  select d.provider, d.reference, d.client_id, d.livemode, d.payment_id, d.amount_minor, d.currency, d.reason, d.wish, d.received_at
    from jsonb_populate_recordset(null::unmatched_deposits, p_deposits) d;
$$;
