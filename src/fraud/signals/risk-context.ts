import { type Counter, countersOf, type Entity } from './sightings';
import type { Signals } from './signal-catalogue';

/** What may stand on a list. */
export interface ListSubjects {
  ip?: string;
  /** By the country database, and as it was given. */
  country?: string;
  stated_country?: string;
  customer?: string;
  email_domain?: string;
  destination?: string;
  card?: string;
}

/** An entry of a list that something stands on; see risk_list_hits. */
export interface ListHit {
  list: 'allow' | 'block';
  kind: string;
  value: string;
  reason: string;
}

/** A card, customer or address that is stopped for a time. */
export interface GuardBlock {
  guard: string;
  reason: string;
  until: string;
}

/** What is usual for a client: how many payments, their sum and the largest in minor units as text, and how many in this hour of the day. */
export type Profile = readonly [count: number, totalMinor: string, maxMinor: string, hour: number];

/** Everything that an assessment looks at in the database, as risk_context answers it. */
export interface RiskContext {
  /** Of the rules in force when it was read. */
  revision: number;
  /** null where nothing of an entity was seen. */
  counters: readonly (Counter | null)[] | null;
  hits: readonly ListHit[] | null;
  blocks: readonly GuardBlock[] | null;
}

/** What is asked of risk_context. */
export interface ContextRequest {
  clientId: string;
  livemode: boolean;
  currency?: string;
  entities: readonly Entity[];
  lists: ListSubjects;
  guards?: readonly { guard: string; entity: string }[];
}

/** The parameter of risk_context. */
export function contextParameter({ clientId, livemode, currency, entities, lists, guards = [] }: ContextRequest): string {
  return JSON.stringify({
    client_id: clientId, livemode, currency, lists, guards,
    entities: entities.map(({ kind, value, book }) => (book ? { kind, value, client_id: book.clientId, livemode: book.livemode } : { kind, value })),
  });
}

/** The counters that were asked for, by their signal. */
export function counters(request: Pick<ContextRequest, 'entities'>, context: RiskContext): ReadonlyMap<string, Counter> {
  return countersOf(request.entities, context.counters);
}

const KINDS: Readonly<Record<string, string>> = {
  ip: 'the IP', country: 'the country', customer: 'the customer', email_domain: 'the e-mail domain', destination: 'the destination', card: 'the card',
};

/**
 * What stands on lists, as signals. Merchants read the reasons, so they name the entry and not who made it. `allowed`: the kinds of entries
 * that let through here; an address that may pay is not one that may withdraw.
 */
export function listSignals({ hits }: { hits?: readonly ListHit[] | null }, allowed?: readonly string[]) {
  const of = (list: ListHit['list']) => hits?.find((hit) => hit.list === list && (list === 'block' || !allowed || allowed.includes(hit.kind)));
  const text = (hit: ListHit | undefined) => hit && `${KINDS[hit.kind] ?? hit.kind} ${hit.value} is on the ${hit.list} list: ${hit.reason}`;
  const [block, allow] = [of('block'), of('allow')];
  return {
    block_list: block !== undefined, allow_list: allow !== undefined, block_list_reason: text(block), allow_list_reason: text(allow),
  } satisfies Signals;
}

/** What is stopped for a time, as signals. */
export function guardSignals({ blocks }: { blocks?: readonly GuardBlock[] | null }) {
  const block = blocks?.[0];
  return {
    guard_block: block !== undefined, guard_reason: block && `${block.reason}; stopped until ${new Date(block.until).toISOString()}`,
  } satisfies Signals;
}
