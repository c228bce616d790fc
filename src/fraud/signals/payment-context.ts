import { addressOf } from '../../platform/security/blocks/networks';
import type { StoredFacts } from '../model/stored-facts';
import type { Payer, PaymentFacts } from './payer';
import type { GuardBlock, ListHit, Profile } from './risk-context';
import type { Windowed } from './sightings';

/** Everything that the assessment of a payment looks at in the database, as payment_contexts answers it; what there is none of is missing. */
export interface PaymentContext {
  /** Of the rules in force when it was read. */
  revision: number;
  client?: Windowed;
  customer?: Windowed;
  customer_failures?: Windowed;
  ip?: Windowed;
  ip_failures?: Windowed;
  failed_logins?: Windowed;
  email_domain?: Windowed;
  /** Small payments of the client in the last hour, and those from the address. */
  small?: number;
  ip_small?: number;
  /** Different customers from the address in the last 10 minutes. */
  ip_customers?: number;
  /** How many payments of the customer came to a good end, and their mean in this currency, in minor units. */
  paid?: readonly [count: number, meanMinor: string | null];
  last_country?: string;
  profile?: Profile;
  blocks?: readonly GuardBlock[];
  hits?: readonly ListHit[];
  /** What the learned model looks at, where it was asked for. */
  model?: StoredFacts;
}

/** The counters among it. */
export type CounterName = 'client' | 'customer' | 'customer_failures' | 'ip' | 'ip_failures' | 'failed_logins' | 'email_domain';

/** What is asked for one payment; see payment_contexts. `model`: whether a learned model may be in force. */
export function contextRequest(facts: PaymentFacts, payer: Payer, model: boolean): object {
  const { clientId, livemode, currency, ip, ipCountry } = facts;
  return {
    client_id: clientId, livemode, currency, ...payer,
    ip: addressText(ip, payer), subjects: listSubjects(facts, payer), country: ipCountry && true, model: model || undefined,
  };
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
