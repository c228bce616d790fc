import type { ChannelName } from '../channels/alert-channel';
import type { AlertObject } from '../alerts.dto';
import type { AlertRuleObject } from './alert-rules.dto';

/** To whom an alert goes, one channel after the other, for as long as nobody acknowledges it. */
export interface Escalation {
  after_seconds: number;
  channels: ChannelName[];
}

/** A rule as it is stored: what it counts is the product's, its figures are the operator's. */
export interface AlertRule {
  name: string;
  what: string;
  measure: 'security_events' | 'sensitive_operations' | 'webhook_failures' | 'webhook_failure_rate';
  kinds: string[];
  severities: string[];
  grouped_by: 'all' | 'kind' | 'source' | 'actor';
  threshold: number;
  at_least: number;
  window_seconds: number;
  cooldown_seconds: number;
  severity: AlertObject['severity'];
  channels: ChannelName[];
  escalation: Escalation | null;
  enabled: boolean;
  revision: number;
  changed_by: string | null;
  changed_at: Date;
}

/** A rule as the API shows it. */
export function presentRule(rule: AlertRule): AlertRuleObject {
  const { name, changed_at: changedAt, ...rest } = rule;
  return { name, object: 'alert_rule', ...rest, changed_at: changedAt.toISOString() };
}
