import { exponentOf, type CurrencyCode } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { addressOf, networkOf } from '../../platform/security/blocks/networks';
import { sha256Hex } from '../../platform/security/crypto/digests';
import { amountSignals, HISTORY, tenthsOf } from './amount-signals';
import { type ContextRequest, counters, guardSignals, listSignals, type ListSubjects, type RiskContext } from './risk-context';
import { countSignals, type Entity, LOGIN_BOOK } from './sightings';
import type { Signals } from './signal-catalogue';

/** What is known of a payment when it is asked for. The payer is as the merchant tells it; never the merchant's own server. */
export interface PaymentFacts {
  clientId: string;
  livemode: boolean;
  amountMinor: bigint;
  currency: CurrencyCode;
  customer?: string;
  ip?: string;
  email?: string;
  /** As the payer gave it, and by the country database. */
  country?: string;
  ipCountry?: string;
}

/** What is seen in an assessment; its book, time, subject and amount are the assessment's. */
export interface Sighting {
  kind: string;
  entity: string;
  peer?: string;
  country?: string;
}

const HOURS_FROM = 100;

/** The part behind the @, which a whole company or a disposable service shares. */
export function domainOf(email: string | undefined): string | undefined {
  return email?.slice(email.lastIndexOf('@') + 1).toLowerCase();
}

/** Whom a failed payment counts against. A card is a card from one address: elsewhere it may be its owner. */
export function guardEntities({ ip, customer, card }: { ip?: string; customer?: string; card?: string }): { guard: string; entity: string; shown: string }[] {
  const network = ip && networkOf(ip);
  return [
    ...(card && network ? [{ guard: 'card_ip', entity: `${card} ${network}`, shown: `a card from ${network}` }] : []),
    ...(customer ? [{ guard: 'customer', entity: customer, shown: `the customer ${customer}` }] : []),
    ...(network ? [{ guard: 'ip', entity: network, shown: `the IP ${network}` }] : []),
  ];
}

/** What is looked up for a payment, in one round trip. */
export function paymentRequest(facts: PaymentFacts): ContextRequest {
  const { clientId, livemode, currency, customer, ip } = facts;
  const network = ip && networkOf(ip);
  const domain = domainOf(facts.email);
  const entities: Entity[] = [{ kind: 'payment.client', value: clientId, signal: 'client_payments', countsItself: true, mayBeBusy: true }];
  if (customer) {
    entities.push({ kind: 'payment.customer', value: customer, signal: 'customer_payments', countsItself: true });
    entities.push({ kind: 'failed.customer', value: customer, signal: 'customer_failures' });
    entities.push({ kind: 'paid.customer', value: customer, signal: 'customer_paid' });
  }
  if (network) {
    entities.push({ kind: 'payment.ip', value: network, signal: 'ip_payments', countsItself: true });
    entities.push({ kind: 'failed.ip', value: network, signal: 'ip_failures' });
    entities.push({ kind: 'login_failed.ip', value: network, signal: 'failed_logins', book: LOGIN_BOOK });
  }
  if (domain) entities.push({ kind: 'payment.email_domain', value: domain, signal: 'email_domain_payments', countsItself: true, mayBeBusy: true });
  // An address is looked up as lists are written, whatever its spelling.
  const lists: ListSubjects = {
    ip: ip && addressOf(ip)?.toString(), country: facts.ipCountry, stated_country: facts.country, customer, email_domain: domain,
  };
  return { clientId, livemode, currency, profile: 'payment', entities, lists, guards: guardEntities({ ip, customer }) };
}

/** The signals of a payment. */
export function paymentSignals(facts: PaymentFacts, request: ContextRequest, context: RiskContext): Signals {
  const found = counters(request, context);
  const counts = request.entities.filter(({ signal }) => signal !== 'customer_paid').map((entity) => countSignals(entity, found.get(entity.signal)!));
  const { profile } = context;
  return {
    subject: 'payment',
    ...listSignals(context),
    ...guardSignals(context),
    ...Object.assign({}, ...counts) as Signals,
    ...amountSignals({
      amountMinor: facts.amountMinor, currency: facts.currency, earlierCount: profile?.count ?? 0,
      averageMinor: profile ? BigInt(profile.mean_minor) : null, maxMinor: profile ? BigInt(profile.max_minor) : null,
    }),
    round_amount: facts.amountMinor % (100n * 10n ** BigInt(exponentOf(facts.currency))) === 0n,
    small_payments_1h: found.get('client_payments')![5],
    ...hourSignals(context),
    ...ipSignals(found.get('ip_payments')),
    ...customerSignals(facts, found.get('customer_paid')),
    ...countrySignals(facts, found.get('customer_payments')?.[10] ?? null),
  };
}

function hourSignals({ profile }: RiskContext): Signals {
  if (!profile || profile.count < HOURS_FROM) return {};
  const share = profile.hour / profile.count;
  return { hour_share: share, hour_percent: (share * 100).toFixed(1) };
}

type CounterOrNone = ReturnType<ReturnType<typeof counters>['get']>;

function ipSignals(counter: CounterOrNone): Signals {
  return counter ? { ip_customers_10m: new Set(counter[6]).size, ip_small_payments_1h: counter[5] } : {};
}

function customerSignals({ amountMinor, currency }: PaymentFacts, counter: CounterOrNone): Signals {
  const mean = counter && counter[3] >= HISTORY ? counter[7] : null;
  if (!mean || BigInt(mean) <= 0n) return {};
  return { customer_amount_times_usual: tenthsOf(amountMinor, BigInt(mean)), customer_usual_amount: formatAmount(BigInt(mean), currency) };
}

/** Without a country database nothing is known of the IP, and nothing is said. */
function countrySignals({ country, ipCountry }: PaymentFacts, last: string | null): Signals {
  if (!ipCountry) return {};
  return {
    ip_country: ipCountry, payer_country: country ?? null, last_country: last,
    country_mismatch: country !== undefined && country !== ipCountry, country_change: last !== null && last !== ipCountry,
  };
}

/** Told apart only, so that it need not be readable. */
function peerOf({ customer, email }: PaymentFacts): string | undefined {
  const peer = customer ?? email?.toLowerCase();
  return peer && sha256Hex(`peer ${peer}`).slice(0, 16);
}

/** What a payment leaves for later ones to be counted with. Where it was held or stopped it makes no place look familiar. */
export function paymentSightings(facts: PaymentFacts, isAllowed: boolean): Sighting[] {
  const { clientId, customer, ip } = facts;
  const network = ip && networkOf(ip);
  const domain = domainOf(facts.email);
  return [
    { kind: 'payment.client', entity: clientId },
    ...(customer ? [{ kind: 'payment.customer', entity: customer, country: isAllowed ? facts.ipCountry : undefined }] : []),
    ...(network ? [{ kind: 'payment.ip', entity: network, peer: peerOf(facts) }] : []),
    ...(domain ? [{ kind: 'payment.email_domain', entity: domain }] : []),
  ];
}
