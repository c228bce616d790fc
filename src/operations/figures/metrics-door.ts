import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { constantTimeEqual, hmacSha256 } from '../../platform/security/crypto/digests';

const BEARER_FORM = /^Bearer ([\x21-\x7e]{1,500})$/i;

/** Who may read the metrics: whoever has the token, and this machine itself. */
@Injectable()
export class MetricsDoor {
  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'metricsTokens'>) {}

  /** 401 for everybody else; where no token is set, for everybody elsewhere. */
  check(authorization: string | undefined): void {
    if (currentContext().fromThisMachine || this.isToken(BEARER_FORM.exec(authorization ?? '')?.[1])) return;
    throw new Problem('unauthenticated', 'Send METRICS_TOKEN as Authorization: Bearer ….', { headers: { 'www-authenticate': 'Bearer' } });
  }

  /** Digests are compared, all of them, so that the time tells neither a length nor how far a guess was right. */
  private isToken(presented: string | undefined): boolean {
    if (presented === undefined) return false;
    const digest = (text: string) => hmacSha256('metrics token', text);
    return this.settings.metricsTokens.map((token) => constantTimeEqual(digest(token), digest(presented))).includes(true);
  }
}
