import { unitOf } from '../../money/currency';
import { networkOf } from '../../platform/security/blocks/networks';
import { type AmountFacts, amountSignals, HISTORY, shownOf, timesOf } from './amount-signals';
import type { Payer, PaymentFacts } from './payer';
import type { PaymentContext } from './payment-context';
import { guardSignals, listSignals } from './risk-context';
import { countSignal, NOTHING, type Windowed } from './sightings';
import type { CounterSignal, Signals } from './signal-catalogue';

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

/** How often somebody was seen before; undefined where nobody is known. */
function before(who: string | undefined, counter: Windowed | null): CounterSignal | undefined {
  return who ? countSignal({}, counter ?? NOTHING) : undefined;
}

/** The same with the payment itself. */
function withThis(who: string | undefined, counter: Windowed | null): CounterSignal | undefined {
  return who ? countSignal({ countsItself: true }, counter ?? NOTHING) : undefined;
}

/** The signals of a payment, all by name; `lastCountry`: where its customer was seen before. */
export function paymentSignals(facts: PaymentFacts, payer: Payer, context: PaymentContext, lastCountry: string | null): Signals {
  const { clientId, amountMinor, currency } = facts;
  const { customer, network, domain } = payer;
  const lists = listSignals(context);
  const guards = guardSignals(context);
  const amounts = amountSignals({ amountMinor, currency, ...historyOf(context) });
  const hours = hourSignals(context);
  const customers = customerSignals(facts, context);
  const countries = countrySignals(facts, lastCountry);
  return {
    subject: 'payment',
    block_list: lists.block_list,
    allow_list: lists.allow_list,
    block_list_reason: lists.block_list_reason,
    allow_list_reason: lists.allow_list_reason,
    guard_block: guards.guard_block,
    guard_reason: guards.guard_reason,
    amount: amounts.amount,
    currency,
    amount_units: amounts.amount_units,
    earlier: amounts.earlier,
    amount_times_usual: amounts.amount_times_usual,
    times_usual: amounts.times_usual,
    usual_amount: amounts.usual_amount,
    amount_times_largest: amounts.amount_times_largest,
    largest_amount: amounts.largest_amount,
    round_amount: amountMinor % (100n * unitOf(currency)) === 0n,
    small_payments_1h: context.small,
    hour_share: hours.hour_share,
    hour_percent: hours.hour_percent,
    customer_amount_times_usual: customers.customer_amount_times_usual,
    customer_usual_amount: customers.customer_usual_amount,
    ip_country: countries.ip_country,
    payer_country: countries.payer_country,
    last_country: countries.last_country,
    country_mismatch: countries.country_mismatch,
    country_change: countries.country_change,
    client_payments: withThis(clientId, context.client),
    customer_payments: withThis(customer, context.customer),
    customer_failures: before(customer, context.customer_failures),
    ip_payments: withThis(network, context.ip),
    ip_failures: before(network, context.ip_failures),
    failed_logins: before(network, context.failed_logins),
    email_domain_payments: withThis(domain, context.email_domain),
    ip_customers_10m: network ? context.ip_customers : undefined,
    ip_small_payments_1h: network ? context.ip_small : undefined,
  };
}

/** What amounts are compared with. The mean is rounded to whole minor units. */
function historyOf({ profile }: PaymentContext): Pick<AmountFacts, 'earlierCount' | 'averageMinor' | 'maxMinor'> {
  if (!profile) return { earlierCount: 0, averageMinor: null, maxMinor: null };
  const count = BigInt(profile[0]);
  return { earlierCount: profile[0], averageMinor: (2n * BigInt(profile[1]) + count) / (2n * count), maxMinor: BigInt(profile[2]) };
}

function hourSignals({ profile }: PaymentContext) {
  const share = profile && profile[0] >= HOURS_FROM ? profile[3] / profile[0] : undefined;
  return { hour_share: share, hour_percent: share === undefined ? undefined : (share * 100).toFixed(1) };
}

function customerSignals({ amountMinor, currency }: PaymentFacts, { paid }: PaymentContext) {
  const known = paid && paid[0] >= HISTORY ? BigInt(paid[1] ?? 0) : 0n;
  const mean = known > 0n ? known : undefined;
  return { customer_amount_times_usual: timesOf(amountMinor, mean), customer_usual_amount: shownOf(mean, currency) };
}

/** Without a country database nothing is known of the IP, and nothing is said. */
function countrySignals({ country, ipCountry }: PaymentFacts, last: string | null) {
  const isKnown = ipCountry !== undefined;
  return {
    ip_country: ipCountry,
    payer_country: isKnown ? (country ?? null) : undefined,
    last_country: isKnown ? last : undefined,
    country_mismatch: isKnown ? country !== undefined && country !== ipCountry : undefined,
    country_change: isKnown ? last !== null && last !== ipCountry : undefined,
  };
}

/** What is left of a payment that was stopped, for later ones to be counted with; what was created says itself who paid. */
export function stoppedSightings({ email }: PaymentFacts, { customer, network }: Payer): Sighting[] {
  const seen: Sighting[] = [];
  if (customer) seen.push({ kind: 'stopped.customer', entity: customer });
  if (network) seen.push({ kind: 'stopped.ip', entity: network, peer: customer ?? email?.toLowerCase() });
  return seen;
}
