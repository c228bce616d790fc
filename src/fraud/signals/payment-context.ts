import { CURRENCY_CODES } from '../../money/currency';
import { columnText, type ColumnValue } from '../../platform/database/columns';
import { addressOf } from '../../platform/security/blocks/networks';
import type { StoredFacts } from '../model/stored-facts';
import type { Payer, PaymentFacts } from './payer';
import type { GuardBlock, ListHit, Profile } from './risk-context';
import { type Count, type RunningCounter, smallBy, windowedBy } from './running-counter';
import { largestSmall, type Windowed } from './sightings';

/** Everything that the assessment of a payment looks at in the database; null where there is none of it. */
export interface PaymentContext {
  /** Of the rules in force when it was read. */
  revision: number;
  client: Windowed | null;
  email_domain: Windowed | null;
  /** Small payments of the client in the last hour. */
  small: number;
  customer: Windowed | null;
  customer_failures: Windowed | null;
  ip: Windowed | null;
  ip_failures: Windowed | null;
  failed_logins: Windowed | null;
  /** Small payments from the address in the last hour. */
  ip_small: number;
  /** Different customers from the address in the last 10 minutes. */
  ip_customers: number;
  /** How many payments of the customer came to a good end, and their mean in this currency, in minor units. */
  paid: readonly [count: number, meanMinor: string | null] | null;
  /** Where the customer's newest payments came from that were let through, the newest first. */
  places: readonly string[] | null;
  profile: Profile | null;
  blocks: readonly GuardBlock[] | null;
  hits: readonly ListHit[] | null;
  /** What the learned model looks at, where it was asked for. */
  model: StoredFacts | null;
}

/** What of it payment_contexts answers in other words. */
type Read = 'client' | 'email_domain' | 'small' | 'customer_failures' | 'paid' | 'ip_small' | 'ip_customers';

/** The same as payment_contexts answers it. */
export interface ContextRow extends Omit<PaymentContext, Read> {
  /** Which of those who asked it is for, from 1. */
  n: number;
  client: RunningCounter | null;
  email_domain: RunningCounter | null;
  customer_noted: { readonly failed: Windowed | null; readonly stopped: Windowed | null; readonly paid: PaymentContext['paid'] } | null;
  ip_stopped: Windowed | null;
  ip_recent: readonly [small: number, customers: number] | null;
}

/** What is asked for one payment; see payment_contexts. */
export interface PaymentQuestion extends Payer {
  clientId: string;
  livemode: boolean;
  currency: string;
  /** The address itself, where the network is wider. */
  ip?: string;
  /** What may stand on a list, by kind and value. */
  subjects: readonly string[];
  /** Whether the country where the customer was last seen is asked for, and whether a learned model may be in force. */
  country: boolean;
  model: boolean;
}

/** What was read, with payments that are let through and not written yet: of its client, and of the domain of its e-mail there. */
export function contextOf(row: ContextRow, unwritten: { client: Count; domain: Count }): PaymentContext {
  const { revision, customer_noted: customer, ip_failures, ip_recent: recent, failed_logins, places, profile, blocks, hits, model } = row;
  return {
    revision, client: windowedBy(row.client, unwritten.client), email_domain: windowedBy(row.email_domain, unwritten.domain), small: smallBy(row.client, unwritten.client),
    customer: together(row.customer, customer?.stopped), customer_failures: customer?.failed ?? null, paid: customer?.paid ?? null,
    ip: together(row.ip, row.ip_stopped), ip_failures, ip_small: recent?.[0] ?? 0, ip_customers: recent?.[1] ?? 0,
    failed_logins, places, profile, blocks, hits, model,
  };
}

/** What is asked for a payment. `model`: see there. */
export function questionOf(facts: PaymentFacts, payer: Payer, model: boolean): PaymentQuestion {
  const { clientId, livemode, currency, ip, ipCountry } = facts;
  return { clientId, livemode, currency, ...payer, ip: addressText(ip, payer), subjects: listSubjects(facts, payer), country: ipCountry !== undefined, model };
}

const SMALL = JSON.stringify(Object.fromEntries(CURRENCY_CODES.map((code) => [code, largestSmall(code).toString()])));

/** The parameters of payment_contexts. No subject has a line break within. */
export function questionColumns(asked: readonly PaymentQuestion[]): unknown[] {
  const column = (of: (each: PaymentQuestion) => ColumnValue) => columnText(asked.map(of));
  return [
    column(({ clientId }) => clientId), column(({ livemode }) => livemode), column(({ currency }) => currency), column(({ customer }) => customer),
    column(({ network }) => network), column(({ domain }) => domain), column(({ ip }) => ip), column(({ subjects }) => subjects.join('\n')),
    column(({ country }) => country), SMALL, asked.some(({ model }) => model),
  ];
}

/** What was asked for, and what was stopped before it became a payment. */
function together(payments: Windowed | null, stopped: Windowed | null | undefined): Windowed | null {
  if (!payments || !stopped) return payments ?? stopped ?? null;
  return [
    payments[0] + stopped[0], payments[1] + stopped[1], payments[2] + stopped[2], payments[3] + stopped[3], Math.max(payments[4] ?? 0, stopped[4] ?? 0),
  ];
}

/** An address is looked up as lists are written, whatever its spelling; it is its own network unless that is wider. */
function addressText(ip: string | undefined, { network }: Payer): string | undefined {
  return ip && network?.includes('/') ? addressOf(ip)?.toString() : network;
}

/** As entries of lists are found: by kind and value. A domain is hit by its parents too, mail.example.com by example.com. */
function listSubjects({ country, ipCountry }: PaymentFacts, { customer, domain }: Payer): string[] {
  const subjects = [];
  if (ipCountry) subjects.push(`country ${ipCountry.toUpperCase()}`);
  if (country) subjects.push(`country ${country.toUpperCase()}`);
  if (customer) subjects.push(`customer ${customer}`);
  for (let name = domain ?? ''; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) subjects.push(`email_domain ${name}`);
  return subjects;
}
