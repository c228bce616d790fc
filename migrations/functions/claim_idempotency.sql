-- Claims an idempotency key inside the caller's transaction and stores the answer that its commit will have earned.
-- Only one request can be under way for a key: the advisory lock ends with the transaction, so a crash frees it.
--
-- p_claim: {"client_id", "livemode", "route", "key", "fingerprint"}, and where the answer is known: "status", "body", "sealed"
-- Answers null when claimed; otherwise {"outcome": "in_progress" | "mismatch" | "replay", "status", "body", "sealed"}.
create or replace function claim_idempotency(p_claim jsonb) returns jsonb
language plpgsql as $$
declare
  v_client text := p_claim ->> 'client_id';
  v_livemode boolean := (p_claim ->> 'livemode')::boolean;
  v_route text := p_claim ->> 'route';
  v_key text := p_claim ->> 'key';
  v_known idempotency_keys;
begin
  if not pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', v_client, v_livemode, v_route, v_key), 0)) then
    return jsonb_build_object('outcome', 'in_progress');
  end if;
  insert into idempotency_keys (client_id, livemode, route, key, fingerprint, status, body, sealed)
  values (v_client, v_livemode, v_route, v_key, p_claim ->> 'fingerprint',
          (p_claim ->> 'status')::smallint, p_claim ->> 'body', coalesce((p_claim ->> 'sealed')::boolean, false))
  on conflict do nothing;
  if found then
    return null;
  end if;
  select * into strict v_known from idempotency_keys
   where client_id = v_client and livemode = v_livemode and route = v_route and key = v_key;
  if v_known.fingerprint <> p_claim ->> 'fingerprint' then
    return jsonb_build_object('outcome', 'mismatch');
  end if;
  return jsonb_build_object('outcome', 'replay', 'status', v_known.status, 'body', v_known.body, 'sealed', v_known.sealed);
end $$;
