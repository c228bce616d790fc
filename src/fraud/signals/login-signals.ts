import { addressOf, networkOf } from '../../platform/security/blocks/networks';
import { type ContextRequest, counters, listSignals, type RiskContext } from './risk-context';
import { countSignal, type Entity, LOGIN_BOOK } from './sightings';
import type { Sighting } from './payment-signals';
import type { Signals } from './signal-catalogue';

/** What is known of a login whose password was right. */
export interface LoginFacts {
  personId: string;
  deviceKnown: boolean;
  ip?: string;
  ipCountry?: string;
}

/** What is looked up for a login. */
export function loginRequest({ personId, ip, ipCountry }: LoginFacts): ContextRequest {
  const network = ip && networkOf(ip);
  const entities: Entity[] = [
    { kind: 'login_failed.account', value: personId, signal: 'account_failures' },
    { kind: 'login.any', value: personId, signal: 'logins' },
    ...(network ? [
      { kind: 'login_failed.ip', value: network, signal: 'failed_logins' }, { kind: 'login.ip', value: `${personId} ${network}`, signal: 'logins_here' },
    ] : []),
  ];
  return { ...LOGIN_BOOK, entities, lists: { ip: ip && addressOf(ip)?.toString(), country: ipCountry } };
}

/** The signals of a login. */
export function loginSignals({ deviceKnown, ipCountry }: LoginFacts, request: ContextRequest, context: RiskContext): Signals {
  const found = counters(request, context);
  const shown = request.entities.filter(({ signal }) => signal === 'account_failures' || signal === 'failed_logins');
  const [any, here] = [found.get('logins')!, found.get('logins_here')];
  const last = any[7];
  return {
    subject: 'login',
    ...listSignals(context, []),
    ...Object.fromEntries(shown.map((entity) => [entity.signal, countSignal(entity, found.get(entity.signal)!)])),
    device_unknown: !deviceKnown,
    ip_unknown: here !== undefined && any[3] > 0 && here[3] === 0,
    ...(ipCountry ? { ip_country: ipCountry, last_country: last, country_change: last !== null && last !== ipCountry } : {}),
  };
}

/** What a login leaves for later ones to be counted with. */
export function loginSightings({ personId, ip, ipCountry }: LoginFacts): Sighting[] {
  const network = ip && networkOf(ip);
  return [
    { kind: 'login.any', entity: personId, country: ipCountry },
    ...(network ? [{ kind: 'login.ip', entity: `${personId} ${network}` }] : []),
  ];
}

/** What a failed login leaves. */
export function failedLoginSightings(account: string, ip: string | undefined): Sighting[] {
  const network = ip && networkOf(ip);
  return [
    { kind: 'login_failed.account', entity: account },
    ...(network ? [{ kind: 'login_failed.ip', entity: network }] : []),
  ];
}
