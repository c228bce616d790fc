-- Writes an assessment with what was seen in it, in the transaction of what was assessed.
--
-- p_risk: {"assessment": a row of risk_assessments, "sightings": array of {"kind", "entity", "peer", "country"}, "small": whether
--          the amount is a small one, "counted": whether the client's running counter has it, "domain": which other one, see count_risk,
--          "review": a row of risk_reviews or absent, "anomaly": see record_anomaly, or absent}; null where fraud detection is switched off.
create or replace function write_assessment(p_risk jsonb) returns void
language plpgsql as $$
declare
  a risk_assessments := jsonb_populate_record(null::risk_assessments, p_risk -> 'assessment');
  v_small bigint := (p_risk ->> 'small')::boolean::integer;
begin
  if p_risk is null then
    return;
  end if;
  insert into risk_assessments values (a.*);
  insert into risk_sightings (client_id, livemode, kind, entity, at, subject_id, amount_minor, currency, small, peer, country)
  select a.client_id, a.livemode, s.kind, s.entity, a.created_at, a.subject_id, a.amount_minor, a.currency, (p_risk -> 'small')::boolean,
         s.peer, s.country
    from jsonb_to_recordset(p_risk -> 'sightings') as s (kind text, entity text, peer text, country text);
  if p_risk ? 'counted' then
    -- As count_risk has them in order.
    perform count_risk(array_agg(a.client_id), array_agg(a.livemode), array_agg(e.kind), array_agg(e.entity), array_agg(1::bigint), array_agg(v_small))
       from (values ('client', a.client_id), ('email_domain', p_risk ->> 'domain')) as e (kind, entity)
      where e.entity is not null;
  end if;
  if p_risk ? 'review' then
    insert into risk_reviews (client_id, livemode, subject_id, subject, created_at)
    select r.client_id, r.livemode, r.subject_id, r.subject, r.created_at
      from jsonb_populate_record(null::risk_reviews, p_risk -> 'review') r;
  end if;
  if p_risk ? 'anomaly' then
    perform record_anomaly(p_risk -> 'anomaly');
  end if;
end $$;
