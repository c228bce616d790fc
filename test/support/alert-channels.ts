import { ALERT_ADDRESSES, type AlertAddresses } from '../../src/operations/alerts/channels/alert-addresses';
import { RaiseAlerts } from '../../src/operations/alerts/raise-alerts';
import { runInContext } from '../../src/platform/http/request-context';
import { newId } from '../../src/platform/identifiers';
import type { TestDatabase } from './database';
import { FakeAlertReceiver, FakePagerDuty, FakeSlack, FakeTelegram } from './fake-alert-channels';
import { Gateway } from './gateway';
import { SmtpReceiver, type Taken } from './smtp-receiver';

export const ALERT_EMAIL = 'security@operator.example';

/** All five channels on this computer, and gateways that tell them. */
export class AlertChannelsFixture {
  private constructor(
    readonly slack: FakeSlack,
    readonly pagerDuty: FakePagerDuty,
    readonly telegram: FakeTelegram,
    readonly receiver: FakeAlertReceiver,
    private readonly mail: SmtpReceiver,
  ) {}

  static async start(): Promise<AlertChannelsFixture> {
    const fakes = await Promise.all([
      new FakeSlack().start(), new FakePagerDuty().start(), new FakeTelegram().start(), new FakeAlertReceiver().start(), SmtpReceiver.start(),
    ]);
    return new AlertChannelsFixture(...fakes);
  }

  /** What an operator sets. */
  get environment(): Record<string, string> {
    return {
      SECURITY_ALERT_EMAIL: ALERT_EMAIL, SMTP_URL: this.mail.url(), SECURITY_WEBHOOK_URL: this.receiver.url + this.receiver.path,
      SLACK_WEBHOOK_URL: this.slack.url + this.slack.path, PAGERDUTY_ROUTING_KEY: this.pagerDuty.key,
      TELEGRAM_BOT_TOKEN: this.telegram.token, ADMIN_CHAT_ID: this.telegram.chatId, RATE_LIMITING_ENABLED: 'false',
    };
  }

  /** A gateway for which PagerDuty and Telegram are here. */
  async gateway(options: { database?: TestDatabase; log?: string[] } = {}): Promise<Gateway> {
    const gateway = await Gateway.start({ ...options, environment: this.environment });
    Object.assign(gateway.app.get<AlertAddresses>(ALERT_ADDRESSES, { strict: false }), { pagerDuty: this.pagerDuty.url, telegram: this.telegram.url });
    return gateway;
  }

  get mails(): Taken[] {
    return this.mail.taken;
  }

  reset(): void {
    for (const fake of [this.slack, this.pagerDuty, this.telegram, this.receiver]) fake.reset();
    this.mail.taken.length = 0;
  }

  /** How many messages each has taken: e-mail, webhook, Slack, PagerDuty, Telegram. */
  counts(): number[] {
    return [this.mail, this.receiver, this.slack, this.pagerDuty, this.telegram].map(({ taken }) => taken.length);
  }

  async stop(): Promise<void> {
    await Promise.all([this.slack.stop(), this.pagerDuty.stop(), this.telegram.stop(), this.receiver.stop(), this.mail.stop()]);
  }
}

/** A row of the security log, as its writer leaves it. */
export async function securityEvent(database: TestDatabase, kind: string, severity: string, more: { source?: string; count?: number } = {}): Promise<void> {
  await database.rows(
    `insert into security_events (id, minute, kind, severity, source, action, count) values ($1, clock_timestamp(), $2, $3, $4, 'told', $5)`,
    [newId('sev'), kind, severity, more.source ?? 'somewhere', more.count ?? 1],
  );
}

/** A look at the rules now, whatever the instance's own sweeps do. */
export function lookForAlerts(gateway: Gateway): Promise<boolean> {
  return runInContext({ requestId: 'test', actor: { type: 'system', id: 'alerts.look' }, startedAt: 0 }, () => gateway.app.get(RaiseAlerts).sweep());
}
