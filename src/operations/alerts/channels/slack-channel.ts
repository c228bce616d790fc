import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import { textOf } from '../alert-words';
import type { AlertChannel, AlertMessage, Outcome } from './alert-channel';
import { AlertPost } from './alert-post';

/** Slack cuts longer texts into several messages (https://api.slack.com/changelog/2018-04-truncating-really-long-messages). */
const MAX_TEXT = 3_500;

/** An incoming webhook of Slack, or of what takes the same JSON (https://api.slack.com/messaging/webhooks). */
@Injectable()
export class SlackChannel implements AlertChannel {
  readonly name = 'slack';
  readonly takesMany = true;
  readonly stages = ['trigger', 'escalation'] as const;
  private readonly url?: string;

  constructor(@Inject(SETTINGS) { alerts }: Settings, private readonly post: AlertPost) {
    this.url = alerts.slackUrl;
  }

  get isConfigured(): boolean {
    return this.url !== undefined;
  }

  send(message: AlertMessage): Promise<Outcome> {
    const url = this.url!;
    // Whatever stands in an address or a name must not become a link or call the whole channel.
    const text = textOf(message, MAX_TEXT).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return this.post.post({ url, body: JSON.stringify({ text }), secrets: [url, new URL(url).pathname] });
  }
}
