import { exponentOf, isCurrency } from '../../money/currency';
import { WINDOW_SECONDS, WINDOWS, type Signals, type SignalValue } from './signal-catalogue';

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
  /** It may be busy without anything being wrong: where not even a window is counted to its end, nothing is said of what is usual. */
  mayBeBusy?: true;
}

/** Logins belong to no merchant's book: they are counted in one of their own. */
export const LOGIN_BOOK = { clientId: 'people', livemode: false } as const;

/** A counter as risk_context answers it; see there. */
export type Counter = readonly [
  m10: number, h1: number, h24: number, d30: number, oldestSeconds: number | null, small: number, peers: readonly string[] | null,
  meanMinor: string | null, maxMinor: string | null, newestSeconds: number | null, country: string | null,
];

const EMPTY: Counter = [0, 0, 0, 0, null, 0, null, null, null, null, null];
/** So many sightings of an entity are walked over, the newest first; see risk_context. */
const MOST = 200;
/** Small payments are those up to so many units of money. */
const SMALL_UNITS = 5n;
const JPY_PER_UNIT = 100n;

/** Whether an amount is what card testers try: some units at most. */
export function isSmall(amountMinor: bigint, currency: string): boolean {
  if (!isCurrency(currency)) return false;
  const unit = currency === 'JPY' ? JPY_PER_UNIT : 10n ** BigInt(exponentOf(currency));
  return amountMinor <= SMALL_UNITS * unit;
}

/** The counter of each entity, by its signal. */
export function countersOf(entities: readonly Entity[], counters: readonly (Counter | null)[] | null): ReadonlyMap<string, Counter> {
  return new Map(entities.map(({ signal }, at) => [signal, counters?.[at] ?? EMPTY]));
}

/**
 * A counter as signals: how often in each window, and what is usual there by how often it was seen before the window began.
 * Without any history nothing is usual: 0.
 */
export function countSignals({ signal, countsItself, mayBeBusy }: Entity, counter: Counter): Signals {
  const own = countsItself ? 1 : 0;
  const signals: Record<string, SignalValue> = {};
  WINDOWS.forEach((window, at) => {
    const count = counter[at] as number;
    signals[`${signal}_${window}`] = count + own;
    signals[`${signal}_${window}_usual`] = mayBeBusy && count >= MOST ? null : usualPer(WINDOW_SECONDS[window], count, counter);
  });
  return signals;
}

function usualPer(seconds: number, inWindow: number, [, , , all, oldest]: Counter): number {
  const before = all - inWindow;
  if (before <= 0 || oldest === null || oldest <= seconds) return 0;
  return Math.round((before / (oldest - seconds)) * seconds * 10) / 10;
}
