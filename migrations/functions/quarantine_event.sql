-- Settles a provider's event that no payment takes: the money it tells of is kept for people to look at, once, whatever
-- number of events tell of it. p_deposit: a row of unmatched_deposits, or null when the event tells of none.
-- p_failure and the answer: see note_failure.
create or replace function quarantine_event(p_inbox jsonb, p_deposit jsonb, p_failure jsonb) returns jsonb
language plpgsql as $$
begin
  perform settle_inbox(p_inbox);
  if p_deposit is not null then
    perform lock_reference(p_deposit ->> 'provider', p_deposit ->> 'reference');
    if is_credited(p_deposit ->> 'provider', p_deposit ->> 'reference') then
      raise exception 'this money was credited' using errcode = 'CPG01';
    end if;
    insert into unmatched_deposits (id, provider, reference, client_id, livemode, payment_id, amount_minor, currency, reason, wish, received_at)
    select new_id('dep'), d.provider, d.reference, d.client_id, d.livemode, d.payment_id, d.amount_minor, d.currency, d.reason, d.wish, d.received_at
      from jsonb_populate_record(null::unmatched_deposits, p_deposit) d
    on conflict do nothing;
  end if;
  return note_failure(p_failure);
end $$;
