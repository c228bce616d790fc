import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alert rules with the figures that they start with, the alerts that they raise, and where each alert went. */
export class Alerts1763600000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(INDEXES);
    await queryRunner.query(RULES);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop index audit_events_sensitive, webhook_attempts_failed, webhook_attempts_by_time;
      drop table alert_deliveries, alerts, alert_rules;
    `);
  }
}

const TABLES = `
  create table alert_rules (
    name text collate "C" primary key,
    what text not null,
    measure text not null check (measure in ('security_events', 'sensitive_operations', 'webhook_failures', 'webhook_failure_rate')),
    kinds text[] collate "C" not null default '{}',
    severities text[] not null default '{}',
    grouped_by text not null default 'all' check (grouped_by in ('all', 'kind', 'source', 'actor')),
    threshold integer not null check (threshold between 1 and 10000),
    at_least integer not null default 1 check (at_least between 1 and 10000),
    window_seconds integer not null check (window_seconds between 60 and 86400),
    cooldown_seconds integer not null check (cooldown_seconds between 60 and 86400),
    severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
    channels text[] not null default '{email,webhook,slack,pagerduty,telegram}',
    escalation jsonb,
    enabled boolean not null default true,
    revision integer not null default 1,
    changed_by text collate "C",
    changed_at timestamptz not null default now()
  );
  comment on column alert_rules.threshold is
    'So many hits; of webhook_failure_rate the percent of attempts that must be exceeded, of sensitive_operations how many times the usual.';
  comment on column alert_rules.at_least is 'Below so many (of a rate: attempts) a rate or a multiple says nothing.';

  create table alerts (
    id text collate "C" primary key,
    rule text collate "C" not null references alert_rules (name),
    group_key text collate "C" not null,
    severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
    title text not null,
    description text not null,
    figures jsonb not null,
    count bigint not null check (count > 0),
    first_at timestamptz not null,
    last_at timestamptz not null,
    raised_at timestamptz not null default now(),
    quiet_until timestamptz not null,
    status text not null default 'open' check (status in ('open', 'acknowledged', 'resolved')),
    acknowledged_by text collate "C",
    acknowledged_at timestamptz,
    resolved_by text collate "C",
    resolved_at timestamptz,
    note text,
    escalation_level integer not null default 0,
    next_escalation_at timestamptz,
    check ((status = 'resolved') = (resolved_at is not null)),
    check (next_escalation_at is null or status = 'open')
  );
  comment on column alerts.quiet_until is 'Until then further hits are counted here; what comes later may raise a new alert.';

  create table alert_deliveries (
    alert_id text collate "C" not null references alerts (id),
    channel text not null check (channel in ('email', 'webhook', 'slack', 'pagerduty', 'telegram')),
    stage text not null check (stage in ('trigger', 'escalation', 'acknowledge', 'resolve')),
    level integer not null default 0,
    status text not null default 'pending' check (status in ('pending', 'sending', 'sent', 'failed', 'canceled')),
    message_id text,
    attempts integer not null default 0,
    last_error text,
    next_attempt_at timestamptz,
    held_until timestamptz,
    sent_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    primary key (alert_id, channel, stage, level),
    check ((status in ('pending', 'sending')) = (next_attempt_at is not null)),
    check ((status = 'sent') = (sent_at is not null))
  );
  comment on column alert_deliveries.message_id is 'What is sent together has one; it stays through all attempts, so that receivers can tell a copy.';
  comment on column alert_deliveries.held_until is 'The channel has asked not to be called before.';
`;

const SENSITIVE = `
  'withdrawal.approval_given', 'withdrawal.approved', 'withdrawal.completion_signed', 'withdrawal.failed', 'refund.approved',
  'unmatched_deposit.assigned', 'unmatched_deposit.refunding', 'payment.success_proposed', 'payment.status_changed', 'api_key.created',
  'api_key.rotated', 'api_key.revoked', 'webhook_endpoint.secret_rotated', 'staff.created', 'person.invited', 'person.role_changed',
  'person.removed', 'two_factor.reset', 'two_factor.disabled', 'signing_key.changed', 'switch.changed', 'client.live_enabled',
  'client.updated', 'client.operator_settings_changed', 'ip_block.created', 'ip_block.released', 'export.created', 'alert_rule.changed'
`;

const INDEXES = `
  create index alerts_by_status on alerts (status, id);
  create index alerts_by_rule on alerts (rule, id);
  create index alerts_recent on alerts (quiet_until);
  create index alerts_to_escalate on alerts (next_escalation_at) where next_escalation_at is not null;
  create index alert_deliveries_due on alert_deliveries (channel, next_attempt_at) where status in ('pending', 'sending');
  create index alert_deliveries_held on alert_deliveries (channel, held_until) where held_until is not null;
  create index alert_deliveries_by_message on alert_deliveries (message_id) where message_id is not null;

  -- Few among millions of payments; the same words stand in sensitive_operations(), or the index is not used.
  create index audit_events_sensitive on audit_events (id) where kind in (${SENSITIVE});
  -- Successes, which are nearly all, are not in the one index and cost next to nothing in the other.
  create index webhook_attempts_failed on webhook_attempts (started_at) where error is not null;
  create index webhook_attempts_by_time on webhook_attempts using brin (started_at) with (autosummarize = on);
`;

const RULES = `
  insert into alert_rules (name, what, measure, kinds, grouped_by, threshold, at_least, window_seconds, cooldown_seconds, severity) values
    ('failed_logins', 'failed logins', 'security_events', '{login.failed}', 'all', 50, 1, 3600, 3600, 'high'),
    ('failed_logins_from_one_address', 'failed logins', 'security_events', '{login.failed}', 'source', 10, 1, 300, 900, 'high'),
    ('high_risk_transactions', 'high-risk transactions', 'security_events',
      '{risk.blocked,risk.review,risk.card_testing}', 'all', 10, 1, 3600, 3600, 'high'),
    ('api_errors', 'API errors', 'security_events', '{api.error}', 'all', 100, 1, 3600, 3600, 'high'),
    ('webhook_failures', 'webhook failures', 'webhook_failures',
      array['webhook.signature_missing', 'webhook.signature_malformed', 'webhook.signature_mismatch', 'webhook.timestamp_out_of_window',
            'webhook.malformed', 'webhook.too_large'],
      'all', 20, 1, 3600, 3600, 'medium'),
    ('webhook_failure_rate', 'of webhook attempts failed', 'webhook_failure_rate', '{}', 'all', 5, 20, 3600, 3600, 'medium'),
    ('invalid_signatures', 'invalid signatures', 'security_events',
      '{signature.invalid,webhook.signature_mismatch,webhook.signature_missing,webhook.signature_malformed}', 'all', 5, 1, 3600, 3600, 'high'),
    ('invalid_addresses', 'calls from addresses that are not allowed', 'security_events', '{ip.not_allowed,webhook.ip_not_allowed}',
      'all', 10, 1, 3600, 3600, 'high'),
    ('replays', 'replays', 'security_events',
      '{webhook.event_conflict,webhook.timestamp_out_of_window,signature.expired,idempotency.mismatch,suspicious.refresh_token_reused}',
      'kind', 1, 1, 3600, 3600, 'high'),
    ('rate_limit_violations', 'rate-limit violations', 'security_events', '{rate_limit.exceeded}', 'all', 50, 1, 3600, 3600, 'medium'),
    ('rate_limit_violations_of_one_user', 'rate-limit violations', 'security_events', '{rate_limit.exceeded}', 'actor',
      10, 1, 3600, 3600, 'medium'),
    ('pci_violations', 'card numbers where none may be', 'security_events', '{pci.card_number}', 'all', 1, 1, 3600, 3600, 'high'),
    ('data_exposure', 'lists of data taken away', 'security_events', '{data.exported}', 'actor', 1, 1, 3600, 3600, 'medium'),
    ('sensitive_operations', 'sensitive operations', 'sensitive_operations', '{}', 'all', 5, 10, 3600, 3600, 'high'),
    ('disabled_api_version', 'calls to a disabled API version', 'security_events', '{api_version.disabled}', 'all', 1, 1, 3600, 3600, 'medium'),
    ('chain_disagreement', 'contradictions between chain sources', 'security_events', '{chain.disagreement}', 'all', 1, 1, 3600, 900, 'high'),
    ('redis_away', 'losses of Redis', 'security_events', '{limits.redis_lost}', 'all', 1, 1, 3600, 900, 'high'),
    ('unmatched_money', 'deposits that no payment took', 'security_events', '{deposit.unmatched}', 'all', 1, 1, 3600, 900, 'high'),
    ('alert_channel_failing', 'alerts not delivered', 'security_events', '{alert.delivery_failed}', 'source', 1, 1, 3600, 3600, 'high');

  insert into alert_rules (name, what, measure, kinds, severities, grouped_by, threshold, window_seconds, cooldown_seconds, severity, escalation)
  select x.name, x.what, 'security_events', x.kinds, x.severities, x.grouped_by, 1, 3600, 900, 'critical',
         '{"after_seconds": 900, "channels": ["pagerduty", "telegram", "slack", "email", "webhook"]}'
    from (values
      ('critical_events', 'critical security events', '{}'::text[], '{critical}'::text[], 'kind'),
      ('circuit_breaker', 'trips of the circuit breaker', '{circuit_breaker.tripped}', '{}', 'all'),
      ('ledger_fault', 'faults of the ledger', '{ledger.fault}', '{}', 'all'),
      ('audit_fault', 'faults of the audit log', '{audit.verification_failed}', '{}', 'all')
    ) x (name, what, kinds, severities, grouped_by);
`;
