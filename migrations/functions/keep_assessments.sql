-- Writes the assessments of payments that were let through, many at once, after they were created; see write_assessment, which is for all
-- that must stand or fall with what was assessed. Whoever cannot tell whether it was done does it again, and learns by unique_violation
-- that one of them is written already; then nothing of this call is.
--
-- One array for each column, with one element for each payment, so that nothing is said twice and nothing has to be taken apart. p_reasons
-- to p_model are as in risk_assessments, p_fired each as one text; p_small and p_domain see count_risk.
-- A crash of the database may lose what the last moments brought: the payment says itself what was thought of it, and what is missing is
-- written again from there, so nobody has to wait for the disk. The plans are kept, as they are the same for any number of rows.
create or replace function keep_assessments(
  p_client text[], p_livemode boolean[], p_id text[], p_at timestamptz[], p_amount numeric[], p_currency text[], p_small boolean[], p_score numeric[],
  p_revision bigint[], p_reasons jsonb[], p_signals jsonb[], p_fired text[], p_shadow jsonb[], p_model jsonb[], p_domain text[])
returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into risk_assessments (client_id, livemode, subject_id, subject, score, decision, reasons, signals, fired, shadow, model, revision,
                                amount_minor, currency, created_at)
  select k.client_id, k.livemode, k.id, 'payment', k.score, 'allow', k.reasons, k.signals, k.fired::text[], k.shadow, k.model, k.revision, k.amount,
         k.currency, k.at
    from unnest(p_client, p_livemode, p_id, p_score, p_reasons, p_signals, p_fired, p_shadow, p_model, p_revision, p_amount, p_currency, p_at)
      as k (client_id, livemode, id, score, reasons, signals, fired, shadow, model, revision, amount, currency, at);
  perform count_risk(p_client, p_livemode, p_domain, p_small);
end $$;
