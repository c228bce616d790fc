-- Stores a verified provider event and the job that will apply it, with all that it needs (one read less for each event), or tells that it was here before.
-- Answers 'received', 'duplicate' (counted), or 'conflict' when the same id now says something else (nothing is changed).
create or replace function receive_webhook(
  p_source text, p_event_id text, p_type text, p_livemode boolean, p_fingerprint text, p_payload text
) returns text
language plpgsql as $$
begin
  insert into inbox_events (source, event_id, type, livemode, fingerprint, payload)
  values (p_source, p_event_id, p_type, p_livemode, p_fingerprint, p_payload)
  on conflict do nothing;
  if found then
    perform graphile_worker.add_job('inbox.apply', json_build_object(
      'source', p_source, 'event_id', p_event_id, 'payload', p_payload));
    return 'received';
  end if;
  update inbox_events set duplicates = duplicates + 1
   where source = p_source and event_id = p_event_id and fingerprint = p_fingerprint;
  return case when found then 'duplicate' else 'conflict' end;
end $$;
