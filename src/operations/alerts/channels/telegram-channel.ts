import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type AlertSettings, SETTINGS, type Settings } from '../../../platform/config/settings';
import { textOf } from '../alert-words';
import { ALERT_ADDRESSES, type AlertAddresses } from './alert-addresses';
import type { AlertChannel, AlertMessage, Outcome } from './alert-channel';
import { AlertPost } from './alert-post';

/** "1-4096 characters after entities parsing" (https://core.telegram.org/bots/api#sendmessage). */
const MAX_TEXT = 4_000;
const slowDown = z.object({ parameters: z.object({ retry_after: z.number().min(0) }) });

/** A Telegram bot that writes to the operator's chat. Its token is part of the address, so the address is never shown. */
@Injectable()
export class TelegramChannel implements AlertChannel {
  readonly name = 'telegram';
  readonly takesMany = true;
  readonly stages = ['trigger', 'escalation'] as const;
  private readonly bot: AlertSettings['telegram'];

  constructor(
    @Inject(SETTINGS) { alerts }: Settings,
    @Inject(ALERT_ADDRESSES) private readonly addresses: AlertAddresses,
    private readonly post: AlertPost,
  ) {
    this.bot = alerts.telegram;
  }

  get isConfigured(): boolean {
    return this.bot !== undefined;
  }

  send(message: AlertMessage): Promise<Outcome> {
    const { token, chatId } = this.bot!;
    return this.post.post({
      url: `${this.addresses.telegram}/bot${token}/sendMessage`,
      // Plain text: nothing in it is read as markup.
      body: JSON.stringify({ chat_id: /^-?\d+$/.test(chatId) ? Number(chatId) : chatId, text: textOf(message, MAX_TEXT) }),
      secrets: [token],
      retryAfter: readRetryAfter,
    });
  }
}

/** Telegram says in the body how long to wait (https://core.telegram.org/bots/api#responseparameters). */
function readRetryAfter(body: string): number | undefined {
  try {
    return slowDown.safeParse(JSON.parse(body)).data?.parameters.retry_after;
  } catch {
    return undefined;
  }
}
