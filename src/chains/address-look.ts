import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type ChainArrival, ChainArrivals, type Standing, type WatchedAddress } from './chain-arrivals';
import { ChainTransfers } from './chain-transfers';
import { CHAIN_VIEW } from './chain-view.provider';
import { groupedBy, inParallel } from './collections';
import { ChainUnavailable, type ChainView, type Sighting } from './tron/chain-view';
import type { ListedTransfer, TokenTransfer } from './tron/tron-source';

/** The services index a block some time after they know it, so each list begins well before the cursor. */
const OVERLAP_MS = 5 * 60_000;
/** No token's contract can count further: the largest uint256. */
const MOST_MINOR = 2n ** 256n - 1n;
const EXAMINED_AT_ONCE = 8;
/** When the process is to end, a source that hangs does not hold it up for longer. */
const GRACE_MS = 3_000;

/** What a look has found out about an address. */
export interface Looked {
  /** So far the chain has been seen; undefined when something could not be made sure of, so that the cursor must stay. */
  completeUntil: Date | undefined;
  /** When the payment was closed; undefined while it is open. */
  closedAt: Date | undefined;
  /** Something is on the chain that is not final. */
  isWaiting: boolean;
}

/** What a look lists. */
interface Span {
  from: Date;
  /** The cursor stays before it. */
  before?: Date;
}

/**
 * Looks at one address: everything that is not settled is examined, acted on and written down, in this order; then the payment follows
 * what is written. All of it is derived from rows, so a look that dies anywhere is simply made again.
 */
@Injectable()
export class AddressLook implements OnModuleDestroy {
  private readonly ending = new AbortController();

  constructor(
    @Inject(CHAIN_VIEW) private readonly view: ChainView | undefined,
    private readonly transfers: ChainTransfers,
    private readonly arrivals: ChainArrivals,
  ) {}

  onModuleDestroy(): void {
    setTimeout(() => this.ending.abort(), GRACE_MS).unref();
  }

  /**
   * Looks at what has arrived since the cursor, and again at all that is not settled, listed or not. Before money is no longer waited
   * for, and ever after, all that has arrived since the address was made is listed.
   * @throws ChainUnavailable when too few sources answer for a list
   */
  async look(watched: WatchedAddress): Promise<Looked> {
    if (!this.view) throw new ChainUnavailable('no source is set up');
    const { from, before } = spanOf(watched, await this.arrivals.handler.standingOf(watched));
    const { transfers: listed, completeUntil } = await this.view.incoming(watched.address, from, this.ending.signal);
    const claims = await this.claimsOf(watched, from, listed);
    const sightings = await inParallel([...claims.keys()], EXAMINED_AT_ONCE, (hash) => this.sightingOf(hash));
    const found = [...claims.values()].flatMap((claimed, at) => arrivalsIn(sightings[at]!, watched.address, claimed));
    const { closedAt, isAllSettled } = await this.settle(watched, found);
    const isSure = isAllSettled && sightings.every(({ state }) => state !== 'unreachable' && state !== 'disagreement');
    const until = before && before <= completeUntil ? new Date(before.getTime() - 1) : completeUntil;
    return { completeUntil: isSure ? until : undefined, closedAt, isWaiting: found.some(({ state }) => state === 'seen') };
  }

  /** Looks at one transaction for an address, and again at all that is not settled there. The cursor does not move. */
  async examine(watched: WatchedAddress, hash: string): Promise<Sighting> {
    const claims = await this.claimsOf(watched, new Date(), []);
    const sighting = await this.sightingOf(hash);
    const others = [...claims.keys()].filter((other) => other !== hash);
    const seen = await inParallel(others, EXAMINED_AT_ONCE, (other) => this.sightingOf(other));
    await this.settle(watched, [
      ...arrivalsIn(sighting, watched.address, claims.get(hash) ?? []),
      ...others.flatMap((other, at) => arrivalsIn(seen[at]!, watched.address, claims.get(other)!)),
    ]);
    return sighting;
  }

  private async sightingOf(hash: string): Promise<Sighting> {
    return this.view ? this.view.examine(hash, this.ending.signal) : { state: 'unreachable', reason: 'no source is set up' };
  }

  /** What is to be examined, by hash, with what is known of it or else what the list says; settled transactions are left out. */
  private async claimsOf({ address }: WatchedAddress, since: Date, listed: readonly ListedTransfer[]) {
    const known = groupedBy(await this.transfers.at(address, since), ({ hash }) => hash);
    const lists = groupedBy(listed, ({ hash }) => hash);
    const claims = new Map<string, readonly ChainArrival[]>();
    for (const [hash, rows] of known) if (rows.some(isOpen)) claims.set(hash, withSymbols(rows, lists.get(hash)));
    for (const [hash, transfers] of lists) if (!known.has(hash)) claims.set(hash, claimedBy(transfers, address));
    return claims;
  }

  /** First acted on, then written down: what is written down as settled is never looked at again. */
  private async settle(watched: WatchedAddress, found: readonly ChainArrival[]) {
    const inOrder = found.toSorted((a, b) => a.blockTime.getTime() - b.blockTime.getTime() || (a.hash < b.hash ? -1 : 1));
    const unsettled = await this.arrivals.handler.apply(watched, inOrder);
    await this.transfers.save(inOrder.filter((arrival) => !unsettled.includes(arrival)));
    const { closedAt } = await this.arrivals.handler.follow(watched);
    return { closedAt, isAllSettled: unsettled.length === 0 };
  }
}

/**
 * Looks are frequent while money is waited for, and list the latest only. What the services index more than the overlap late is found by
 * those that list everything, of which one at least comes before the cursor passes the end: until then a payment does not expire.
 */
function spanOf({ completeUntil: cursor, createdAt }: WatchedAddress, { closedAt, waitsUntil }: Standing): Span {
  const latest = new Date(cursor.getTime() - OVERLAP_MS);
  const all = new Date(Math.min(cursor.getTime(), createdAt.getTime()) - OVERLAP_MS);
  if (closedAt) return { from: all };
  if (cursor >= waitsUntil) return { from: latest };
  return waitsUntil.getTime() <= Date.now() ? { from: all } : { from: latest, before: waitsUntil };
}

function isOpen({ state }: ChainArrival): boolean {
  return state === 'seen' || state === 'gone';
}

/** What a sighting makes of a transaction's transfers to an address. */
function arrivalsIn(sighting: Sighting, address: string, claimed: readonly ChainArrival[]): ChainArrival[] {
  switch (sighting.state) {
    case 'seen':
      return [...shownBy(sighting, address, claimed), ...missingFrom(sighting, address, claimed)];
    case 'reverted':
      // Before it is final, another block may yet hold it with a better end.
      return claimed.map((arrival) => absent(arrival, sighting.final ? sighting.failure : undefined));
    case 'unknown':
      return claimed.map((arrival) => absent(arrival, undefined));
    default:
      return [...claimed];
  }
}

function shownBy(sighting: Sighting & { state: 'seen' }, address: string, claimed: readonly ChainArrival[]): ChainArrival[] {
  const { hash, blockTime, confirmations, final } = sighting;
  return inTokens(sighting.transfers, address).map((sum) => ({
    hash, address, ...sum, symbol: claimed.find(({ contract }) => contract === sum.contract)?.symbol,
    blockTime, confirmations, state: final ? 'final' : 'seen',
  }));
}

/** What was claimed and is not in the transaction: it stood in another block, or in a list alone. */
function missingFrom(sighting: Sighting & { state: 'seen' }, address: string, claimed: readonly ChainArrival[]): ChainArrival[] {
  return claimed
    .filter(({ contract }) => !sighting.transfers.some((transfer) => transfer.to === address && transfer.contract === contract))
    .map((arrival) => absent(arrival, sighting.final ? 'NOT_IN_TRANSACTION' : undefined));
}

/** Not there for good, for a reason; or without one not there at the moment. */
function absent(arrival: ChainArrival, failure: string | undefined): ChainArrival {
  return failure === undefined ? { ...arrival, state: 'gone' } : { ...arrival, state: 'reverted', failure };
}

/** What a list claims, before anybody has looked. */
function claimedBy(transfers: readonly ListedTransfer[], address: string): ChainArrival[] {
  const [{ hash, blockTime }] = transfers as [ListedTransfer];
  const claimed = inTokens(transfers, address).map((sum): ChainArrival => ({
    hash, address, ...sum, blockTime, confirmations: 0, state: 'gone',
  }));
  return withSymbols(claimed, transfers);
}

function withSymbols(arrivals: readonly ChainArrival[], listed: readonly ListedTransfer[] = []): ChainArrival[] {
  return arrivals.map((arrival) => ({ ...arrival, symbol: listed.find(({ contract }) => contract === arrival.contract)?.symbol }));
}

/** A transaction's transfers to an address, added up for each token; a token that is made up can add up to more than can be kept. */
function inTokens(transfers: readonly TokenTransfer[], address: string): Pick<ChainArrival, 'contract' | 'from' | 'amountMinor'>[] {
  const ours = groupedBy(transfers.filter(({ to }) => to === address), ({ contract }) => contract);
  return [...ours].map(([contract, parts]) => ({
    contract, from: parts[0]!.from, amountMinor: parts.reduce(added, 0n),
  }));
}

function added(sumMinor: bigint, { amountMinor }: TokenTransfer): bigint {
  const sum = sumMinor + amountMinor;
  return sum < MOST_MINOR ? sum : MOST_MINOR;
}
