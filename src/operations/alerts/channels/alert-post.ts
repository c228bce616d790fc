import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import { MASKED, maskSecrets } from '../../../platform/security/crypto/masking';
import { GuardedSender, type GuardedResponse } from '../../../platform/security/network/guarded-sender';
import { SendError } from '../../../platform/security/network/send-error';
import { parseRetryAfter } from '../../../webhooks/outbound/retry-schedule';
import type { Outcome } from './alert-channel';

/** Short: the next attempt is worth more than the rest of this one, and the shutdown waits for it. */
const TIMEOUT_MS = 8_000;
const MAX_ERROR = 300;
/** "Try again" among the refusals: time-out, too early, too many (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4). */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** One POST of a channel. */
export interface ChannelPost {
  url: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
  /** What must not stand in an error, even if the other side repeats it. */
  secrets: readonly string[];
  /** Reads from the body how long to wait, where the service says it there. Default: the header. */
  retryAfter?: (body: string) => number | undefined;
}

/** Posts to channels. Operators enter the addresses, so they may lead into their own networks; link-local ones are refused all the same. */
@Injectable()
export class AlertPost implements OnModuleDestroy {
  private readonly sender: GuardedSender;

  constructor(@Inject(SETTINGS) { isProductionLike }: Settings) {
    this.sender = new GuardedSender({ httpsOnly: isProductionLike, allowPrivateNetworks: true });
  }

  /** What is under way ends as not answered and is tried again after the next start. */
  async onModuleDestroy(): Promise<void> {
    await this.sender.destroy();
  }

  /** Makes one attempt. 2xx is sent; 408, 425, 429, 5xx and no answer at all are tried again; everything else is final. */
  async post({ url, body, headers, secrets, retryAfter }: ChannelPost): Promise<Outcome> {
    const sent = { 'content-type': 'application/json', 'user-agent': 'CPGateway-Alerts', ...headers };
    try {
      const answer = await this.sender.post({ url, headers: sent, body, timeoutMs: TIMEOUT_MS });
      return outcomeOf(answer, retryAfter?.(answer.bodyExcerpt), secrets);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      return { state: error.kind === 'refused_address' ? 'refused' : 'again', error: shown(error.message, secrets) };
    }
  }
}

function outcomeOf({ status, headers, bodyExcerpt }: GuardedResponse, asked: number | undefined, secrets: readonly string[]): Outcome {
  if (status >= 200 && status < 300) return { state: 'sent' };
  const error = shown(`The receiver answered ${status}: ${bodyExcerpt}`, secrets);
  if (status < 500 && !LATER.has(status)) return { state: 'refused', error };
  return { state: 'again', error, afterSeconds: asked ?? parseRetryAfter(headers['retry-after'], new Date()) };
}

function shown(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, MASKED), text);
  return String(maskSecrets(hidden)).replace(/\p{Cc}+/gu, ' ').slice(0, MAX_ERROR).trim();
}
