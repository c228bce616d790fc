-- The entries of the operator's lists that are in force for one client and say something of an address, or of subjects such as
-- 'email_domain example.com'; of all clients and of this one, at most 20, blocks before allows.
-- Inlined into whatever asks, so only one index can serve each half: another condition would let in more.
create or replace function risk_entries_of(p_client text, p_ip inet, p_subjects text[]) returns setof risk_list_entries
language sql stable as $$
  select e.* from (
    select n.* from risk_list_entries n where n.network >>= p_ip
    union all
    select n.* from risk_list_entries n where n.subject = any(p_subjects) and n.removed_at is null) e
   where (e.client_id is null or e.client_id = p_client) and (e.expires_at is null or e.expires_at > now())
   order by e.list desc, e.kind, e.id
   limit 20
$$;
