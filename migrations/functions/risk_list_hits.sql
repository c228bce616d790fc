-- What stands about a payer on the operator's lists: the entries in force, of all clients and of this one, at most 20, blocks before allows.
-- Called once for each payment inside another statement, so it is cheap and never fails: a subject that is no address, or is missing, hits
-- nothing. A domain is hit by its parents too, mail.example.com by example.com.
--
-- p_subjects: {"ip", "country", "stated_country", "customer", "email_domain", "destination", "card"}, any of them missing
-- Answers an array of {"list", "kind", "value", "reason", "id", "source"}.
--
-- Planning it anew would cost several times as much as running it, so the plan is the general one, and kept, also when it was made while
-- the lists were short. That is why only one index can serve each half (another condition would let in more) and sequential scans are off.
create or replace function risk_list_hits(p_client text, p_subjects jsonb) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  v_ip inet;
  v_text text := p_subjects ->> 'ip';
  v_subjects text[] := '{}';
  v_hits jsonb;
begin
  -- An IPv4 address in IPv6 clothing is the IPv4 address.
  if v_text like '%.%' then
    v_text := regexp_replace(v_text, '^::ffff:', '', 'i');
  end if;
  if pg_input_is_valid(v_text, 'inet') then
    v_ip := host(v_text::inet);
  end if;
  v_subjects := array['country ' || upper(p_subjects ->> 'country'), 'country ' || upper(p_subjects ->> 'stated_country'),
                      'customer ' || (p_subjects ->> 'customer'), 'destination ' || (p_subjects ->> 'destination'), 'card ' || (p_subjects ->> 'card')];
  v_text := lower(left(p_subjects ->> 'email_domain', 253));
  while v_text like '%.%' loop
    v_subjects := v_subjects || ('email_domain ' || v_text);
    v_text := substr(v_text, strpos(v_text, '.') + 1);
  end loop;
  select jsonb_agg(jsonb_build_object('list', h.list, 'kind', h.kind, 'value', h.value, 'reason', h.reason, 'id', h.id, 'source', h.source)
                   order by h.list desc, h.kind, h.id)
    into v_hits
    from risk_entries_of(p_client, v_ip, v_subjects) h;
  return coalesce(v_hits, '[]');
end $$;
