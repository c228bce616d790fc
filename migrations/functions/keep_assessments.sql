-- Writes the assessments of payments that were let through, many at once, after they were created; see write_assessment, which is for all
-- that must stand or fall with what was assessed. Whoever cannot tell whether it was done does it again.
--
-- p: array of what write_assessment takes, without reviews and anomalies
-- A crash of the database may lose what the last moments brought: the payment says itself what was thought of it, and what is missing is
-- written again from there, so nobody has to wait for the disk.
create or replace function keep_assessments(p jsonb) returns void
language plpgsql as $$
declare
  v_new text[];
begin
  perform set_config('synchronous_commit', 'off', true);
  with kept as (
    insert into risk_assessments
    select a.* from jsonb_to_recordset(p) as k (assessment jsonb)
     cross join lateral jsonb_populate_record(null::risk_assessments, k.assessment) a
    on conflict do nothing
    returning subject_id
  )
  select array_agg(subject_id) into v_new from kept;
  insert into risk_sightings (client_id, livemode, kind, entity, at, subject_id, amount_minor, currency, small, peer, country)
  select k.assessment ->> 'client_id', (k.assessment -> 'livemode')::boolean, s.kind, s.entity, (k.assessment ->> 'created_at')::timestamptz,
         k.assessment ->> 'subject_id', (k.assessment ->> 'amount_minor')::numeric, k.assessment ->> 'currency', k.small, s.peer, s.country
    from jsonb_to_recordset(p) as k (assessment jsonb, sightings jsonb, small boolean)
   cross join lateral jsonb_to_recordset(k.sightings) as s (kind text, entity text, peer text, country text)
   where k.assessment ->> 'subject_id' = any(v_new);
  perform count_risk((
    select coalesce(jsonb_agg(c.counted), '[]') from jsonb_to_recordset(p) as k (assessment jsonb, counts jsonb)
     cross join lateral jsonb_array_elements(k.counts) as c (counted)
     where k.assessment ->> 'subject_id' = any(v_new)));
end $$;
