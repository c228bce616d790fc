-- Opens a change for a caller: its access is checked again and, for a call with an idempotency key, the key is claimed.
-- Answers null when the change may go on, or what claim_idempotency says.
create or replace function open_change(p_access jsonb, p_claim jsonb) returns jsonb
language plpgsql as $$
begin
  perform check_access(p_access);
  if p_claim is null then
    return null;
  end if;
  return claim_idempotency(p_claim);
end $$;
