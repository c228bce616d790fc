import { unitOf } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { networkOf } from '../../platform/security/blocks/networks';
import { type AmountFacts, amountSignals, HISTORY, tenthsOf } from './amount-signals';
import type { Payer, PaymentFacts } from './payer';
import type { CounterName, PaymentContext } from './payment-context';
import { guardSignals, listSignals } from './risk-context';
import { countSignal, type Entity, NOTHING } from './sightings';
import type { CounterSignal, Signals, SignalValue } from './signal-catalogue';

/** What is seen in an assessment; its book, time, subject and amount are the assessment's. */
export interface Sighting {
  kind: string;
  entity: string;
  peer?: string;
  country?: string;
}

const HOURS_FROM = 100;

/** Whom a failed payment counts against. A card is a card from one address: elsewhere it may be its owner. */
export function guardEntities({ ip, customer, card }: { ip?: string; customer?: string; card?: string }): { guard: string; entity: string; shown: string }[] {
  const network = ip && networkOf(ip);
  return [
    ...(card && network ? [{ guard: 'card_ip', entity: `${card} ${network}`, shown: `a card from ${network}` }] : []),
    ...(customer ? [{ guard: 'customer', entity: customer, shown: `the customer ${customer}` }] : []),
    ...(network ? [{ guard: 'ip', entity: network, shown: `the IP ${network}` }] : []),
  ];
}

/** The counters of a payment: by what of the payer, under which name the database answers it, and of which signal. */
const COUNTERS: readonly (Pick<Entity, 'signal' | 'countsItself'> & { by: 'client' | keyof Payer; answer: CounterName })[] = [
  { by: 'client', answer: 'client', signal: 'client_payments', countsItself: true },
  { by: 'customer', answer: 'customer', signal: 'customer_payments', countsItself: true },
  { by: 'customer', answer: 'customer_failures', signal: 'customer_failures' },
  { by: 'network', answer: 'ip', signal: 'ip_payments', countsItself: true },
  { by: 'network', answer: 'ip_failures', signal: 'ip_failures' },
  { by: 'network', answer: 'failed_logins', signal: 'failed_logins' },
  { by: 'domain', answer: 'email_domain', signal: 'email_domain_payments', countsItself: true },
];

/** The signals of a payment; `lastCountry`: where its customer was seen before. */
export function paymentSignals(facts: PaymentFacts, payer: Payer, context: PaymentContext, lastCountry: string | null): Signals {
  const { amountMinor, currency } = facts;
  const signals: Record<string, SignalValue | CounterSignal> = {
    subject: 'payment',
    ...listSignals(context),
    ...guardSignals(context),
    ...amountSignals({ amountMinor, currency, ...historyOf(context) }),
    round_amount: amountMinor % (100n * unitOf(currency)) === 0n,
    small_payments_1h: context.small,
    ...hourSignals(context),
    ...customerSignals(facts, context),
    ...countrySignals(facts, lastCountry),
  };
  for (const counter of COUNTERS) {
    if (counter.by === 'client' || payer[counter.by]) signals[counter.signal] = countSignal(counter, context[counter.answer] ?? NOTHING);
  }
  if (payer.network) Object.assign(signals, { ip_customers_10m: context.ip_customers, ip_small_payments_1h: context.ip_small });
  return signals;
}

/** What amounts are compared with. The mean is rounded to whole minor units. */
function historyOf({ profile }: PaymentContext): Pick<AmountFacts, 'earlierCount' | 'averageMinor' | 'maxMinor'> {
  if (!profile) return { earlierCount: 0, averageMinor: null, maxMinor: null };
  const [count, total, max] = profile;
  return { earlierCount: count, averageMinor: (2n * BigInt(total) + BigInt(count)) / (2n * BigInt(count)), maxMinor: BigInt(max) };
}

function hourSignals({ profile }: PaymentContext): Signals {
  const [count = 0, , , inHour = 0] = profile ?? [];
  if (count < HOURS_FROM) return {};
  const share = inHour / count;
  return { hour_share: share, hour_percent: (share * 100).toFixed(1) };
}

function customerSignals({ amountMinor, currency }: PaymentFacts, { paid }: PaymentContext): Signals {
  const mean = paid && paid[0] >= HISTORY ? paid[1] : null;
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

/** What is left of a payment that was stopped, for later ones to be counted with; what was created says itself who paid. */
export function stoppedSightings({ email }: PaymentFacts, { customer, network }: Payer): Sighting[] {
  const seen: Sighting[] = [];
  if (customer) seen.push({ kind: 'stopped.customer', entity: customer });
  if (network) seen.push({ kind: 'stopped.ip', entity: network, peer: customer ?? email?.toLowerCase() });
  return seen;
}
