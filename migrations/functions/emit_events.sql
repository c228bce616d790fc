-- Writes outbound events and, in the same transaction, one delivery for each enabled endpoint that wants them.
-- A pattern is "*", "area.*" or an event type. Nothing is sent here: a delivery is a row that is due.
--
-- p_events: array of {"id", "type", "object_id", "data", "created_at"}
create or replace function emit_events(p_client text, p_livemode boolean, p_events json) returns void
language plpgsql as $$
begin
  with emitted as (
    insert into events (client_id, livemode, id, type, object_id, data, created_at)
    select p_client, p_livemode, e ->> 'id', e ->> 'type', e ->> 'object_id', e -> 'data', (e ->> 'created_at')::timestamptz
      from json_array_elements(p_events) e
    returning id, type
  )
  insert into webhook_deliveries (client_id, livemode, id, endpoint_id, event_id, event_type)
  select p_client, p_livemode, new_id('del'), w.id, emitted.id, emitted.type
    from emitted join webhook_endpoints w
      on w.client_id = p_client and w.livemode = p_livemode and w.status = 'enabled'
     and w.events && array['*', split_part(emitted.type, '.', 1) || '.*', emitted.type];
end $$;
