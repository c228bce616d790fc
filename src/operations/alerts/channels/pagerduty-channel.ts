import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import type { Severity } from '../../../platform/security/security-events';
import { summaryOf } from '../alert-words';
import type { AlertObject } from '../alerts.dto';
import { ALERT_ADDRESSES, type AlertAddresses } from './alert-addresses';
import type { AlertChannel, AlertMessage, Outcome, Stage } from './alert-channel';
import { AlertPost } from './alert-post';

const ACTIONS: Readonly<Record<Stage, string>> = { trigger: 'trigger', escalation: 'trigger', acknowledge: 'acknowledge', resolve: 'resolve' };
const SEVERITIES: Readonly<Record<Severity, string>> = { critical: 'critical', high: 'error', medium: 'warning', low: 'info' };
const MAX_SUMMARY = 1_024;

/**
 * A PagerDuty service by its Events API v2. Each alert is an incident of its own, under the alert's id: repetitions go into the same
 * incident, and it ends there when it ends here (https://developer.pagerduty.com/docs/send-alert-event).
 */
@Injectable()
export class PagerDutyChannel implements AlertChannel {
  readonly name = 'pagerduty';
  readonly takesMany = false;
  readonly stages = ['trigger', 'escalation', 'acknowledge', 'resolve'] as const;
  private readonly key?: string;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(ALERT_ADDRESSES) private readonly addresses: AlertAddresses,
    private readonly post: AlertPost,
  ) {
    this.key = settings.alerts.pagerDutyKey;
  }

  get isConfigured(): boolean {
    return this.key !== undefined;
  }

  send({ stage, alerts: [alert] }: AlertMessage): Promise<Outcome> {
    const action = ACTIONS[stage];
    const event = { routing_key: this.key, event_action: action, dedup_key: alert.id };
    const body = action === 'trigger' ? { ...event, client: 'CPGateway', client_url: this.settings.publicUrl, payload: this.payload(stage, alert) } : event;
    return this.post.post({ url: `${this.addresses.pagerDuty}/v2/enqueue`, body: JSON.stringify(body), secrets: [this.key!] });
  }

  private payload(stage: Stage, alert: AlertObject): object {
    const { rule, group, severity, description, figures, first_at: firstAt, raised_at: timestamp } = alert;
    return {
      summary: summaryOf(stage, alert).slice(0, MAX_SUMMARY),
      source: new URL(this.settings.publicUrl).host,
      severity: SEVERITIES[severity],
      timestamp,
      component: 'cpgateway',
      group: 'security',
      class: rule,
      custom_details: { description, group, figures, first_at: firstAt },
    };
  }
}
