-- What people and keys have done since then that deserves a second look when it comes in numbers: the newest 20,000 at most. The words
-- are those of the index audit_events_sensitive; a word that stands here alone would be searched among all audit events.
create or replace function sensitive_operations(p_since timestamptz)
returns table (kind text, actor_id text, occurred_at timestamptz)
language sql stable as $$
  select e.kind, e.actor_id, e.occurred_at
    from audit_events e
   where e.kind in (
           'withdrawal.approval_given', 'withdrawal.approved', 'withdrawal.completion_signed', 'withdrawal.failed', 'refund.approved',
           'unmatched_deposit.assigned', 'unmatched_deposit.refunding', 'payment.success_proposed', 'payment.status_changed',
           'api_key.created', 'api_key.rotated', 'api_key.revoked', 'webhook_endpoint.secret_rotated', 'staff.created', 'person.invited',
           'person.role_changed', 'person.removed', 'two_factor.reset', 'two_factor.disabled', 'signing_key.changed', 'switch.changed',
           'client.live_enabled', 'client.updated', 'client.operator_settings_changed', 'ip_block.created', 'ip_block.released',
           'export.created', 'alert_rule.changed')
     and e.id >= 'aud_' || lpad(to_hex((extract(epoch from p_since - interval '1 minute') * 1000)::bigint), 12, '0')
     and e.occurred_at >= p_since
   order by e.id desc
   limit 20000;
$$;
