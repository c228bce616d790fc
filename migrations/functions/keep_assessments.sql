-- Writes the assessments of payments that were let through, many at once, after they were created; see write_assessment, which is for all
-- that must stand or fall with what was assessed. Whoever cannot tell whether it was done does it again, and learns by unique_violation
-- that one of them is written already; then nothing of this call is.
--
-- A text for each column, see elements, with one element for each payment, so that nothing is said twice and nothing has to be taken apart:
-- up to p_model as in risk_assessments. The rest has one element for each counter that they are added to, in order; see count_risk.
-- A crash of the database may lose what the last moments brought: the payment says itself what was thought of it, and what is missing is
-- written again from there, so nobody has to wait for the disk. The plans are kept, as they are the same for any number of rows.
create or replace function keep_assessments(
  p_client text, p_livemode text, p_id text, p_at text, p_amount text, p_currency text, p_score text, p_revision text, p_reasons text, p_signals text,
  p_fired text, p_shadow text, p_model text,
  p_counted_client text, p_counted_livemode text, p_counted_kind text, p_counted_entity text, p_counted_all text, p_counted_small text)
returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into risk_assessments (client_id, livemode, subject_id, subject, score, decision, reasons, signals, fired, shadow, model, revision,
                                amount_minor, currency, created_at)
  select k.client_id, k.livemode::boolean, k.id, 'payment', k.score::numeric, 'allow', k.reasons::jsonb, k.signals::json, k.fired::text[], k.shadow::jsonb,
         k.model::jsonb, k.revision::bigint, k.amount::numeric, k.currency, k.at::timestamptz
    from unnest(elements(p_client), elements(p_livemode), elements(p_id), elements(p_score), elements(p_reasons), elements(p_signals), elements(p_fired),
                elements(p_shadow), elements(p_model), elements(p_revision), elements(p_amount), elements(p_currency), elements(p_at))
      as k (client_id, livemode, id, score, reasons, signals, fired, shadow, model, revision, amount, currency, at);
  perform count_risk(
    elements(p_counted_client), elements(p_counted_livemode)::boolean[], elements(p_counted_kind), elements(p_counted_entity),
    elements(p_counted_all)::bigint[], elements(p_counted_small)::bigint[]);
end $$;
