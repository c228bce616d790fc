-- Refuses what a switch has paused: an area ('payments' or 'withdrawals'), or everything of one client. Read inside the statement that
-- moves the money, so that a switch works on every instance from the moment its change commits. No money leaves a client that is
-- suspended or closed either, whoever asks for it.
-- CPG05: paused; the message is the reason that was given.
create or replace function check_running(p_area text, p_client text) returns void
language plpgsql stable as $$
declare
  v_reason text;
begin
  select reason into v_reason from switches where id in (p_area, p_client) and paused limit 1;
  if found then
    raise exception '%', v_reason using errcode = 'CPG05';
  end if;
  if p_area = 'withdrawals' then
    select 'the client is ' || status into v_reason from clients where id = p_client and status <> 'active';
    if found then
      raise exception '%', v_reason using errcode = 'CPG05';
    end if;
  end if;
end $$;
