-- Keeps money that no payment takes. The provider's reference is the key: the same deposit told twice is refused here
-- (unique_violation), before anything is booked for it a second time.
-- p_is_rest: it is the rest of an arrival that this transaction credits.
-- CPG01: the money was credited meanwhile; read again and decide again.
create or replace function keep_unmatched(p_deposits jsonb, p_is_rest boolean) returns void
language plpgsql as $$
begin
  perform lock_reference(d.provider, d.reference) from jsonb_populate_recordset(null::unmatched_deposits, p_deposits) d;
  if not p_is_rest and exists (
    select from jsonb_populate_recordset(null::unmatched_deposits, p_deposits) d where is_credited(d.provider, d.reference)) then
    raise exception 'this money was credited' using errcode = 'CPG01';
  end if;
  insert into unmatched_deposits (id, provider, reference, client_id, livemode, payment_id, amount_minor, currency, reason, wish, received_at,
                                  booked, booked_for, details)
  select new_id('dep'), d.provider, d.reference, d.client_id, d.livemode, d.payment_id, d.amount_minor, d.currency, d.reason, d.wish,
         d.received_at, coalesce(d.booked, false), case when d.booked then d.payment_id end, coalesce(d.details, '{}')
    from jsonb_populate_recordset(null::unmatched_deposits, p_deposits) d;
end $$;
