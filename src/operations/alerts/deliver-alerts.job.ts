import { Injectable, Logger } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { Metrics } from '../../platform/observability/metrics';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';
import { AlertDeliveries, type ClaimedMessage, SEND_ALERTS } from './alert-deliveries';
import type { AlertChannel, ChannelName, Outcome } from './channels/alert-channel';
import { AlertChannels } from './channels/alert-channels';

/** Well below the lease, so that nobody else takes what is still to be sent here. */
const SENDING_MS = 30_000;

/**
 * Sends what is due on one channel. Each channel has a job of its own and at most one of them runs in a process, so a channel that hangs
 * costs one of the queue's places and delays no other. At least once: what was handed over and not noted goes out again, under the same id.
 */
@Injectable()
@Job(SEND_ALERTS)
export class DeliverAlertsJob implements JobHandler<{ channel: ChannelName }> {
  readonly job = SEND_ALERTS;
  private readonly logger = new Logger(DeliverAlertsJob.name);
  private readonly busy = new Set<ChannelName>();
  private readonly again = new Set<ChannelName>();

  constructor(
    private readonly channels: AlertChannels,
    private readonly deliveries: AlertDeliveries,
    private readonly securityLog: SecurityLog,
    private readonly metrics: Metrics,
  ) {}

  /** A job that finds its channel busy leaves its work to the one that is at it; should that one die, its lease has a job of its own. */
  async run({ channel: name }: { channel: ChannelName }): Promise<void> {
    const channel = this.channels.all.find((known) => known.name === name);
    if (!channel) return;
    if (this.busy.has(name)) {
      this.again.add(name);
      return;
    }
    this.busy.add(name);
    try {
      do {
        this.again.delete(name);
        await this.sendDue(channel);
      } while (this.again.has(name));
    } finally {
      this.busy.delete(name);
    }
  }

  private async sendDue(channel: AlertChannel): Promise<void> {
    const messages = await this.deliveries.claim(channel);
    const until = performance.now() + SENDING_MS;
    let answers = true;
    for (const message of messages) {
      if (!answers || performance.now() > until) {
        await this.deliveries.release(channel.name, message);
        continue;
      }
      const outcome = await attempt(channel, message);
      answers = outcome.state !== 'again';
      await this.finish(channel.name, message, outcome);
    }
  }

  /** The one place at which every attempt ends; `status` is what its deliveries are now. */
  private async finish(channel: ChannelName, message: ClaimedMessage, outcome: Outcome): Promise<void> {
    const status = await this.deliveries.finish(channel, message, outcome);
    this.metrics.increment('cpgateway_alert_deliveries_total', { channel, outcome: OUTCOMES[outcome.state] });
    const told = { channel, message: message.id, stage: message.stage, alerts: message.alerts.map(({ id }) => id), attempt: message.attempt };
    if (outcome.state === 'sent') return this.logger.log({ msg: 'alert sent', ...told });
    this.logger[status === 'failed' ? 'error' : 'warn']({ msg: `alert not sent: ${outcome.error}`, ...told });
    if (status !== 'failed') return;
    await this.securityLog.write({
      kind: 'alert.delivery_failed', severity: 'high', source: channel, action: 'given up', details: { ...told, error: outcome.error },
    });
  }
}

/** What the metrics call the end of an attempt. */
const OUTCOMES = { sent: 'sent', again: 'failed', refused: 'dropped' } as const;

/** A channel whose setting was taken away after the alert was raised will not come back by trying. */
function attempt(channel: AlertChannel, message: ClaimedMessage): Promise<Outcome> | Outcome {
  return channel.isConfigured ? channel.send(message) : { state: 'refused', error: 'The channel is not set up any more.' };
}
