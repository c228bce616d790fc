import { addressOf, networkOf } from '../../platform/security/blocks/networks';
import { spanText } from '../risk';
import { type AmountFacts, amountSignals, HISTORY, tenthsOf } from './amount-signals';
import { counters, listSignals, type ContextRequest, type RiskContext } from './risk-context';
import { countSignal, type Entity, LOGIN_BOOK } from './sightings';
import type { Sighting } from './payment-signals';
import type { Signals } from './signal-catalogue';

/** What is known when a withdrawal is asked for. Histories are of the same book and currency, and of withdrawals that were completed. */
export interface WithdrawalFacts extends AmountFacts {
  /** When money last came in; null when none ever did. */
  lastDepositAt: Date | null;
  /** Asked for within the last 60 minutes and 24 hours before this one, whatever became of them. */
  countLastHour: number;
  countLastDay: number;
  /** How many a day are usual for this client; 0 for one without a history. */
  usualPerDay: number;
  destinationAgeSeconds: number;
  /** A withdrawal to it was completed before. */
  destinationUsedBefore: boolean;
  /** The newest change of a password, an e-mail, a second factor or a key of the client. */
  credentialChange: { kind: string; at: Date } | null;
  now: Date;
}

/** Who asks, and what for. */
export interface WithdrawalAsk {
  clientId: string;
  livemode: boolean;
  currency: string;
  destinationId: string;
  /** Whole, as it is on lists. */
  destination?: string;
  /** The caller's, where a key asks; staff have theirs. */
  ip?: string;
  ipCountry?: string;
}

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;
/** Longer than the cool-off, or no destination that may be used would ever be new. */
const NEW_DESTINATION_SECONDS = 3 * DAY_SECONDS;
const CREDENTIALS: Readonly<Record<string, string>> = {
  'password.reset': 'password reset', 'password.changed': 'password change', 'two_factor.disabled': 'second factor that was switched off',
  'two_factor.reset': 'second factor reset', 'email.changed': 'change of e-mail', 'api_key.rotated': 'key rotation',
};
export const CREDENTIAL_KINDS: readonly string[] = Object.keys(CREDENTIALS);

/** What is looked up for a withdrawal beside its own history. */
export function withdrawalRequest({ clientId, livemode, currency, destinationId, destination, ip, ipCountry }: WithdrawalAsk): ContextRequest {
  const network = ip && networkOf(ip);
  const entities: Entity[] = [
    { kind: 'paid.client', value: clientId, signal: 'client_paid' },
    { kind: 'withdrawal.destination', value: destinationId, signal: 'destination_withdrawals', countsItself: true },
    { kind: 'caller.any', value: clientId, signal: 'callers' },
    ...(network ? [
      { kind: 'caller.ip', value: network, signal: 'caller_ip' }, { kind: 'login_failed.ip', value: network, signal: 'failed_logins', book: LOGIN_BOOK },
    ] : []),
  ];
  return { clientId, livemode, currency, entities, lists: { ip: ip && addressOf(ip)?.toString(), country: ipCountry, destination } };
}

/** The signals of a withdrawal. */
export function withdrawalSignals(facts: WithdrawalFacts, ask: WithdrawalAsk, request: ContextRequest, context: RiskContext): Signals {
  const found = counters(request, context);
  const shown = request.entities.filter(({ signal }) => signal === 'destination_withdrawals' || signal === 'failed_logins');
  return {
    subject: 'withdrawal',
    ...listSignals(context, ['destination']),
    ...Object.fromEntries(shown.map((entity) => [entity.signal, countSignal(entity, found.get(entity.signal)!)])),
    ...historySignals(facts),
    ...changeSignals(facts),
    ...callerSignals(ask, found),
    ...paymentsBehind(facts, found.get('client_paid')),
  };
}

/** The signals that the client's own withdrawals and deposits give. */
export function historySignals(facts: WithdrawalFacts): Signals {
  const { destinationUsedBefore: used, destinationAgeSeconds: age, lastDepositAt, usualPerDay, now } = facts;
  return {
    ...amountSignals(facts),
    never_deposited: lastDepositAt === null,
    days_since_deposit: lastDepositAt && (now.getTime() - lastDepositAt.getTime()) / 1000 / DAY_SECONDS,
    withdrawals_1h: facts.countLastHour,
    withdrawals_1h_usual: Math.max(1, Math.round(usualPerDay / 24)),
    withdrawals_24h: facts.countLastDay,
    withdrawals_24h_usual: Math.max(1, Math.round(usualPerDay)),
    destination_new: !used && age < NEW_DESTINATION_SECONDS,
    destination_unused: !used && age >= NEW_DESTINATION_SECONDS,
    destination_age: spanText(age),
  };
}

/** A destination that was saved after somebody's password was reset may be that somebody's successor's. */
function changeSignals({ credentialChange, destinationAgeSeconds, now }: WithdrawalFacts): Signals {
  if (!credentialChange) return {};
  const seconds = Math.max(0, (now.getTime() - credentialChange.at.getTime()) / 1000);
  return {
    hours_since_credential_change: seconds / HOUR_SECONDS,
    destination_after_change: destinationAgeSeconds <= seconds,
    credential_change: CREDENTIALS[credentialChange.kind] ?? 'change of credentials',
    credential_change_age: spanText(seconds),
  };
}

function callerSignals({ ip, ipCountry }: WithdrawalAsk, found: ReturnType<typeof counters>): Signals {
  const [any, own] = [found.get('callers'), found.get('caller_ip')];
  if (!ip || !any || !own) return {};
  const last = any[7];
  return {
    ip_unknown: any[3] > 0 && own[3] === 0,
    ...(ipCountry ? { ip_country: ipCountry, last_country: last, country_change: last !== null && last !== ipCountry } : {}),
  };
}

function paymentsBehind({ amountMinor }: WithdrawalFacts, counter: ReturnType<ReturnType<typeof counters>['get']>): Signals {
  if (!counter) return {};
  const mean = counter[3] >= HISTORY && counter[6] ? BigInt(counter[6]) : 0n;
  return { small_payments_1h: counter[5], ...(mean > 0n ? { amount_times_payment: tenthsOf(amountMinor, mean) } : {}) };
}

/** What a withdrawal leaves for later ones to be counted with. Where it was held or stopped it makes no place look familiar. */
export function withdrawalSightings(
  { clientId, destinationId, ip, ipCountry }: WithdrawalAsk, isAllowed: boolean,
): Sighting[] {
  const network = isAllowed && ip && networkOf(ip);
  return [
    { kind: 'withdrawal.destination', entity: destinationId },
    ...(network ? [
      { kind: 'caller.any', entity: clientId, country: ipCountry }, { kind: 'caller.ip', entity: network },
    ] : []),
  ];
}

