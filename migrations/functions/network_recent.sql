-- What came from an address lately, payments and what was stopped: [small amounts in the last hour, different customers in the last 10 minutes],
-- among the newest 200 of each. p_small: the largest small amount of each currency, in minor units; p_first, p_last: between which identifiers.
-- For payment_contexts, whose settings it is planned with.
create or replace function network_recent(
  p_client text, p_livemode boolean, p_network text, p_small jsonb, p_first text, p_last text, p_now timestamptz) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_array(count(*) filter (where n.small), count(distinct n.peer) filter (where n.at > p_now - interval '10 minutes'))
      from ((select p.created_at as at, coalesce(p.customer, lower(p.payer ->> 'email')) as peer,
                    p.amount_minor <= (p_small ->> p.currency)::numeric as small
               from payments p
              where p.client_id = p_client and p.livemode = p_livemode and p.payer_network is not null
                and (p.payer_network, p.id) >= (p_network, p_first) and (p.payer_network, p.id) < (p_network, p_last)
              order by p.payer_network desc, p.id desc limit 200)
            union all
            (select r.at, r.peer, r.small from risk_sightings r
              where r.client_id = p_client and r.livemode = p_livemode and r.kind = 'stopped.ip' and r.entity = p_network
                and r.at > p_now - interval '1 hour' order by r.at desc limit 200)) n);
end $$;
