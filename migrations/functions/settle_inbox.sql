-- Marks a provider's event as done, once. p_inbox: {"source", "event_id", "status", "outcome"}
-- CPG04: somebody else has settled it; whatever this transaction was about to do is already done.
create or replace function settle_inbox(p_inbox jsonb) returns void
language plpgsql as $$
begin
  update inbox_events set status = p_inbox ->> 'status', outcome = p_inbox ->> 'outcome', applied_at = now(),
                          attempts = attempts + 1, last_error = null
   where source = p_inbox ->> 'source' and event_id = p_inbox ->> 'event_id' and status in ('received', 'failed');
  if not found then
    raise exception 'event % is settled', p_inbox ->> 'event_id' using errcode = 'CPG04';
  end if;
end $$;
