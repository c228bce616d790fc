-- What stands of a payer on the operator's lists, see risk_entries_of: array of {"list", "kind", "value", "reason"}, null for nothing.
-- For payment_contexts, whose settings it is planned with.
create or replace function listed(p_client text, p_ip inet, p_subjects text[]) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_agg(jsonb_build_object('list', h.list, 'kind', h.kind, 'value', h.value, 'reason', h.reason))
      from risk_entries_of(p_client, p_ip, p_subjects) h);
end $$;
