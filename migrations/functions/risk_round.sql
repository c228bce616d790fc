-- One round trip for what payments that come together want of the rules: keeps the assessments of those that were created, then reads
-- what the next ones are decided on, which so count all that this instance has let through.
--
-- p_kept: see keep_assessments, or null. p_asked: see payment_contexts, which says what is answered.
create or replace function risk_round(p_kept jsonb, p_asked jsonb) returns setof jsonb
language plpgsql rows 16 as $$
begin
  if p_kept is not null then
    perform keep_assessments(p_kept);
  end if;
  return query select * from payment_contexts(p_asked);
end $$;
