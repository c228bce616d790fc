-- Applies one change to a payment that the caller decided on from a given revision: the new columns, the ledger transfers,
-- the receipt, deposits that matched nothing, the audit event and the outbound events, or nothing at all.
-- Confirming, cancelling, expiring and simulating all end here (src/payments/payment-change.ts).
--
-- p_change: {"client_id", "livemode", "id", "revision" (decided from), and the new "status", "exception",
--            "amount_received_minor", "fee_minor", "provider_reference", "review", "updated_at"} and, for one that
--            has come to a good end, "learn": see learn_payment
-- p_bookings: array of {"currency", "transfers": see ledger_transfer}
-- p_receipt, p_unmatched: a row of payment_receipts, or null; an array of rows of unmatched_deposits
-- p_failure: see note_failure; null unless the payment has failed.
-- p_inbox: {"source", "event_id", "status", "outcome"} of the provider's event that this applies, or null
-- Answers the guards that have stopped something, see note_failure.
-- CPG01: the payment has moved since it was read, or the provider's reference was used by then; read again and decide again.
create or replace function change_payment(
  p_change jsonb, p_bookings jsonb, p_receipt jsonb, p_unmatched jsonb, p_audit jsonb, p_events json, p_inbox jsonb,
  p_failure jsonb
) returns jsonb
language plpgsql as $$
declare
  v_client text := p_change ->> 'client_id';
  v_livemode boolean := (p_change ->> 'livemode')::boolean;
  b record;
begin
  update payments
     set status = p_change ->> 'status', exception = p_change ->> 'exception',
         amount_received_minor = (p_change ->> 'amount_received_minor')::numeric,
         fee_minor = (p_change ->> 'fee_minor')::numeric,
         provider_reference = p_change ->> 'provider_reference', review = p_change ->> 'review',
         updated_at = (p_change ->> 'updated_at')::timestamptz, revision = revision + 1
   where client_id = v_client and livemode = v_livemode and id = p_change ->> 'id'
     and revision = (p_change ->> 'revision')::bigint and payment_may_become(status, p_change ->> 'status');
  if not found then
    raise exception 'payment % has moved', p_change ->> 'id' using errcode = 'CPG01';
  end if;
  if p_inbox is not null then
    perform settle_inbox(p_inbox);
  end if;
  if p_receipt is not null then
    perform claim_provider_reference(p_receipt);
    insert into payment_receipts select * from jsonb_populate_record(null::payment_receipts, p_receipt);
  end if;
  perform keep_unmatched(p_unmatched, p_receipt is not null);
  for b in select x.currency, x.transfers from jsonb_to_recordset(p_bookings) as x (currency text, transfers jsonb) order by 1
  loop
    perform ledger_transfer(v_client, v_livemode, b.currency, b.transfers);
  end loop;
  if p_change ->> 'review' = 'lapsed' then
    update risk_reviews set status = 'closed'
     where client_id = v_client and livemode = v_livemode and subject_id = p_change ->> 'id' and status = 'open';
  end if;
  if p_change ? 'learn' then
    perform learn_payment(v_client, v_livemode, p_change ->> 'id', p_change -> 'learn');
  end if;
  perform write_audit(p_audit);
  perform emit_events(v_client, v_livemode, p_events);
  return note_failure(p_failure);
end $$;
