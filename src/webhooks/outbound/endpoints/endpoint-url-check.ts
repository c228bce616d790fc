import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import { Problem } from '../../../platform/http/problem';
import { assertUrlAllowed, type OutboundPolicy, UrlNotAllowedError } from '../../../platform/security/network/outbound-url';

/** Where endpoints may be on this gateway. */
export function endpointPolicy(settings: Settings): OutboundPolicy {
  return { httpsOnly: settings.isProductionLike, allowPrivateNetworks: settings.webhooksAllowPrivateNetworks };
}

/** Checks the address of an endpoint before it is saved; the sender checks again the address that it connects to. */
@Injectable()
export class EndpointUrlCheck {
  private readonly policy: OutboundPolicy;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.policy = endpointPolicy(settings);
  }

  /**
   * The 422 that a URL deserves, if any. It asks the DNS, so it is called before the transaction; and it is thrown inside of it,
   * because a repeated request gets its stored answer whatever the DNS says by then.
   */
  async refusalOf(url: string): Promise<Problem | undefined> {
    try {
      await assertUrlAllowed(url, this.policy);
      return undefined;
    } catch (error) {
      if (!(error instanceof UrlNotAllowedError)) throw error;
      return new Problem('url_not_allowed', error.message, { errors: [{ field: 'url', code: error.reason, message: error.message }] });
    }
  }
}
