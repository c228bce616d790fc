-- Writes an assessment with what was seen in it, in the transaction of what was assessed.
--
-- p_risk: {"assessment": a row of risk_assessments, "sightings": rows of risk_sightings, "review": a row of risk_reviews or absent,
--          "anomaly": see record_anomaly, or absent}; null where fraud detection is switched off.
create or replace function write_assessment(p_risk jsonb) returns void
language plpgsql as $$
begin
  if p_risk is null then
    return;
  end if;
  insert into risk_assessments select * from jsonb_populate_record(null::risk_assessments, p_risk -> 'assessment');
  insert into risk_sightings select * from jsonb_populate_recordset(null::risk_sightings, p_risk -> 'sightings') on conflict do nothing;
  if p_risk ? 'review' then
    insert into risk_reviews (client_id, livemode, subject_id, subject, created_at)
    select r.client_id, r.livemode, r.subject_id, r.subject, r.created_at
      from jsonb_populate_record(null::risk_reviews, p_risk -> 'review') r;
  end if;
  if p_risk ? 'anomaly' then
    perform record_anomaly(p_risk -> 'anomaly');
  end if;
end $$;
