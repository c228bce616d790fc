-- Writes the assessments of payments that were let through, many at once, after they were created; see write_assessment, which is for all
-- that must stand or fall with what was assessed. Whoever cannot tell whether it was done does it again, and learns by unique_violation
-- that one of them is written already; then nothing of this call is.
--
-- p: {"assessments": array of rows of risk_assessments, "sightings": array of rows of risk_sightings, "counts": see count_risk}
-- A crash of the database may lose what the last moments brought: the payment says itself what was thought of it, and what is missing is
-- written again from there, so nobody has to wait for the disk. The plans are kept, as they are the same for any number of rows.
create or replace function keep_assessments(p jsonb) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into risk_assessments select * from jsonb_populate_recordset(null::risk_assessments, p -> 'assessments');
  insert into risk_sightings select * from jsonb_populate_recordset(null::risk_sightings, p -> 'sightings');
  perform count_risk(p -> 'counts');
end $$;
