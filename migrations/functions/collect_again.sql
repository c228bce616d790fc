-- Lets an anomaly that was opened again collect what follows, unless another one of its group does so meanwhile: then that one goes on.
create or replace function collect_again(p_client text, p_livemode boolean, p_id text) returns void
language plpgsql as $$
begin
  update anomalies set collects = true
   where client_id = p_client and livemode = p_livemode and id = p_id and status in ('open', 'investigating');
exception when unique_violation then
  null;
end $$;
