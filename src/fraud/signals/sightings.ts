import { type CurrencyCode, isCurrency, unitOf } from '../../money/currency';
import { type CounterSignal, WINDOW_SECONDS, WINDOWS } from './signal-catalogue';

/** Something that is counted: a client, a customer, an address, a domain, a destination. */
export interface Entity {
  /** What was seen of it, such as `payment.ip`. */
  kind: string;
  value: string;
  /** The signal that its counter becomes. */
  signal: string;
  /** Where it is not the book of what is assessed. */
  book?: { clientId: string; livemode: boolean };
  /** The current one counts too: what is assessed is itself seen. */
  countsItself?: true;
}

/** Logins belong to no merchant's book: they are counted in one of their own. */
export const LOGIN_BOOK = { clientId: 'people', livemode: false } as const;

/** What every counter begins with: how often in each window, and how old the oldest is. */
export type Windowed = readonly [m10: number, h1: number, h24: number, d30: number, oldestSeconds: number | null, ...more: unknown[]];

/** A counter as risk_context answers it; see there. */
export type Counter = readonly [
  m10: number, h1: number, h24: number, d30: number, oldestSeconds: number | null, small: number, meanMinor: string | null, country: string | null,
];

/** The counter of what was never seen. */
export const NOTHING: Counter = [0, 0, 0, 0, null, 0, null, null];
/** Small payments are those up to so many units of money. */
const SMALL_UNITS = 5n;
const JPY_PER_UNIT = 100n;

/** The largest amount that card testers try, in minor units: some units of money. */
export function largestSmall(currency: CurrencyCode): bigint {
  return SMALL_UNITS * (currency === 'JPY' ? JPY_PER_UNIT : unitOf(currency));
}

/** Whether an amount is what card testers try. */
export function isSmall(amountMinor: bigint, currency: string): boolean {
  return isCurrency(currency) && amountMinor <= largestSmall(currency);
}

/** The counter of each entity, by its signal. */
export function countersOf(entities: readonly Entity[], counters: readonly (Counter | null)[] | null): ReadonlyMap<string, Counter> {
  return new Map(entities.map(({ signal }, at) => [signal, counters?.[at] ?? NOTHING]));
}

const SECONDS = WINDOWS.map((window) => WINDOW_SECONDS[window]);

/**
 * A counter as a signal: how often in each window, and what is usual there by how often it was seen before the window began.
 * Without any history nothing is usual, and nothing is kept of that.
 */
export function countSignal({ countsItself }: Pick<Entity, 'countsItself'>, counter: Windowed): CounterSignal {
  const own = countsItself ? 1 : 0;
  const counts = [counter[0] + own, counter[1] + own, counter[2] + own, counter[3] + own];
  const [inAll, oldest] = [counter[3], counter[4]];
  if (counter[0] === inAll) return counts;
  return counts.concat(SECONDS.map((seconds, at) => usualPer(seconds, inAll - (counter[at] as number), oldest)));
}

function usualPer(seconds: number, before: number, oldest: number | null): number {
  if (before <= 0 || oldest === null || oldest <= seconds) return 0;
  return Math.round((before / (oldest - seconds)) * seconds * 10) / 10;
}
