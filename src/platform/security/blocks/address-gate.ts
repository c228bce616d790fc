import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings';
import { Problem } from '../../http/problem';
import type { RequestContext } from '../../http/request-context';
import { SECURITY_EVENTS, type SecurityEvents } from '../security-events';
import type { Block } from './block';
import { BlockList } from './block-list';
import { networkOf } from './networks';

/** Stands before everything else: a blocked address is sent away before its body is read or its key is looked at. */
@Injectable()
export class AddressGate {
  constructor(
    private readonly list: BlockList,
    @Inject(SECURITY_EVENTS) private readonly events: SecurityEvents,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * 403 for a blocked address, with the seconds until its release; undefined for all others. Costs no round trip: the knocking goes
   * to the security log, which counts a flood in memory and is not waited for.
   */
  refusalOf({ ip, fromThisMachine, method, route, userAgent }: RequestContext): Problem | undefined {
    const block = ip && !fromThisMachine ? this.list.blockOf(ip) : undefined;
    if (!block || !ip) return undefined;
    void this.events.write({
      kind: 'ip.refused',
      severity: 'low',
      source: networkOf(ip) ?? ip,
      route: `${method} ${route ?? 'unknown'}`,
      userAgent,
      action: this.settings.securityEnabled ? 'refused with 403 ip_blocked' : 'would be refused; SECURITY_ENABLED is false',
      details: { ip, block: block.id },
    });
    return this.settings.securityEnabled ? ipBlocked(block) : undefined;
  }
}

function ipBlocked({ expiresAt }: Block): Problem {
  const mistake = 'If this is a mistake, ask the operator of the gateway.';
  if (!expiresAt) return new Problem('ip_blocked', `Requests from this address are refused. ${mistake}`);
  const seconds = Math.max(1, Math.ceil((expiresAt.getTime() - Date.now()) / 1000));
  return new Problem('ip_blocked', `Requests from this address are refused until ${expiresAt.toISOString()}. ${mistake}`, {
    headers: { 'retry-after': String(seconds) },
  });
}
