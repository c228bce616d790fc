import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import type { Problem } from '../../../platform/http/problem';
import type { OutboundPolicy } from '../../../platform/security/network/outbound-url';
import { refusalOfUrl } from '../../../platform/security/network/url-refusal';

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

  /** The 422 that a URL deserves, if any; see refusalOfUrl for when to throw it. */
  refusalOf(url: string): Promise<Problem | undefined> {
    return refusalOfUrl(url, this.policy, 'url');
  }
}
