import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import { Problem } from '../../../platform/http/problem';
import { type DownloadedBody, GuardedReader } from '../../../platform/security/network/guarded-reader';
import type { OutboundPolicy } from '../../../platform/security/network/outbound-url';
import { SendError } from '../../../platform/security/network/send-error';
import { refusalOfUrl } from '../../../platform/security/network/url-refusal';
import { MAX_FEED_BYTES } from './feed';

const TIMEOUT_MS = 20_000;

/** Reads feeds from where people say they are, without letting that lead into the operator's own network. */
@Injectable()
export class FeedDownload implements BeforeApplicationShutdown {
  private readonly policy: OutboundPolicy;
  private readonly reader: GuardedReader;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.policy = { httpsOnly: settings.isProductionLike, allowPrivateNetworks: settings.webhooksAllowPrivateNetworks };
    this.reader = new GuardedReader(this.policy);
  }

  /** The text of a feed. 422 for an address that may not be asked, 502 where it does not answer with a feed. */
  async read(url: string): Promise<string> {
    const refusal = await refusalOfUrl(url, this.policy, 'url');
    if (refusal) throw refusal;
    const { status, body } = await this.download(url);
    if (status === 200) return body.toString('utf8');
    const moved = status >= 300 && status < 400 ? ' Redirects are not followed; enter the address that it leads to.' : '';
    throw new Problem('provider_unavailable', `The feed could not be read: the answer was ${status}.${moved}`);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.reader.destroy();
  }

  private async download(url: string): Promise<DownloadedBody> {
    try {
      return await this.reader.get({ url, maxBytes: MAX_FEED_BYTES, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      const isRefused = error.kind === 'refused_address' || error.kind === 'dns';
      throw new Problem(isRefused ? 'url_not_allowed' : 'provider_unavailable', `The feed could not be read. ${error.message}`, { cause: error });
    }
  }
}
