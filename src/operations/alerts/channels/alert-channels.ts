import { Injectable } from '@nestjs/common';
import { type AlertChannel, type ChannelName } from './alert-channel';
import { EmailChannel } from './email-channel';
import { PagerDutyChannel } from './pagerduty-channel';
import { SlackChannel } from './slack-channel';
import { TelegramChannel } from './telegram-channel';
import { WebhookChannel } from './webhook-channel';

/** All channels there are, and those that the operator has set up. */
@Injectable()
export class AlertChannels {
  readonly all: readonly AlertChannel[];

  constructor(email: EmailChannel, webhook: WebhookChannel, slack: SlackChannel, pagerDuty: PagerDutyChannel, telegram: TelegramChannel) {
    this.all = [email, webhook, slack, pagerDuty, telegram];
  }

  get configured(): readonly AlertChannel[] {
    return this.all.filter(({ isConfigured }) => isConfigured);
  }

  /** The channel of that name, if it is set up. */
  find(name: ChannelName): AlertChannel | undefined {
    return this.configured.find((channel) => channel.name === name);
  }
}
