-- Records how an attempt ended: delivered, to be tried again at a given time, or failed for good.
--
-- p_result: {"client_id", "livemode", "id", "attempt", "endpoint_id", "url" (sent to), "delivered", "gone" (410),
--            "duration_ms", "response_status", "error", "response_excerpt", "retry_in_ms" (null: no more attempts)}
-- Answers why the endpoint has to be disabled now ('gone', 'failing' for five days), which is the caller's to do in the same
-- transaction, and whether more is due for it.
create or replace function finish_delivery(p_result jsonb, out disable_reason text, out more_due boolean)
language plpgsql as $$
declare
  r record;
  v_failing_since timestamptz;
begin
  select * into r from jsonb_to_record(p_result) as x (
    client_id text, livemode boolean, id text, attempt integer, endpoint_id text, url text, delivered boolean, gone boolean,
    duration_ms integer, response_status integer, error text, response_excerpt text, retry_in_ms bigint);
  update webhook_attempts a
     set duration_ms = r.duration_ms, response_status = r.response_status, error = r.error, response_excerpt = r.response_excerpt
   where a.client_id = r.client_id and a.livemode = r.livemode and a.delivery_id = r.id and a.attempt = r.attempt;
  -- The endpoint before its deliveries, as everywhere. A healthy one is not touched, so successes do not queue for its row;
  -- and an answer of an address that the merchant has replaced meanwhile says nothing about the new one.
  update webhook_endpoints w
     set failing_since = case when not r.delivered then coalesce(w.failing_since, now()) end
   where w.client_id = r.client_id and w.livemode = r.livemode and w.id = r.endpoint_id and w.url = r.url and w.status = 'enabled'
     and not (r.delivered and w.failing_since is null)
  returning w.failing_since into v_failing_since;
  if found and not r.delivered then
    disable_reason := case when r.gone then 'gone' when v_failing_since <= now() - interval '5 days' then 'failing' end;
  end if;
  if r.delivered then
    update webhook_deliveries d
       set status = 'delivered', delivered_at = now(), next_attempt_at = null, last_response_status = r.response_status, last_error = null
     where d.client_id = r.client_id and d.livemode = r.livemode and d.id = r.id and d.status = 'pending';
  else
    -- A late answer to an attempt whose lease had ended leaves the plan to the newer attempt.
    update webhook_deliveries d
       set status = case when r.retry_in_ms is null then 'failed' else 'pending' end,
           next_attempt_at = now() + r.retry_in_ms * interval '1 millisecond',
           last_response_status = r.response_status, last_error = r.error
     where d.client_id = r.client_id and d.livemode = r.livemode and d.id = r.id and d.status = 'pending' and d.attempts = r.attempt;
  end if;
  more_due := exists (
    select from webhook_deliveries d
     where d.client_id = r.client_id and d.livemode = r.livemode and d.endpoint_id = r.endpoint_id
       and d.status = 'pending' and d.next_attempt_at <= now());
end $$;
