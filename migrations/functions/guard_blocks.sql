-- What is stopped for a time of a customer and an address: array of {"guard", "reason", "until"}, null for nothing. For payment_contexts,
-- whose settings it is planned with.
create or replace function guard_blocks(p_client text, p_livemode boolean, p_customer text, p_network text, p_now timestamptz) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_agg(jsonb_build_object('guard', b.guard, 'reason', b.reason, 'until', b.blocked_until))
      from (values ('customer', p_customer), ('ip', p_network)) as g (guard, entity)
      join risk_guard_blocks b
        on b.client_id = p_client and b.livemode = p_livemode and b.guard = g.guard and b.entity = g.entity and b.blocked_until > p_now);
end $$;
