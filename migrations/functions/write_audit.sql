-- Appends audit events; p_events is an array of objects whose fields are the columns of audit_events.
-- The time is the database's own, so that the log is in one clock whatever instance wrote it.
create or replace function write_audit(p_events jsonb) returns void
language plpgsql as $$
begin
  insert into audit_events (id, client_id, livemode, kind, actor_type, actor_id, object_id, ip, user_agent,
                            request_id, api_version, before, after)
  select e.id, e.client_id, e.livemode, e.kind, e.actor_type, e.actor_id, e.object_id, e.ip, e.user_agent,
         e.request_id, e.api_version, e.before, e.after
    from jsonb_populate_recordset(null::audit_events, p_events) e;
end $$;
