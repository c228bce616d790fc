import { Inject, Injectable } from '@nestjs/common';
import { CHAIN_VIEW } from '../../chains/chain-view.provider';
import { inParallel } from '../../chains/collections';
import { ChainUnavailable, type ChainView, type Sighting } from '../../chains/tron/chain-view';
import { USDT_CONTRACT } from '../../chains/tron/tron-address';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { idLowerBound } from '../../platform/identifiers';
import { type ComparedItem, type Comparison, Tally } from './comparison';
import { heldUnder } from './comparison-queries';
import type { ReportDay } from './report-day';

const ADDRESSES_AT_ONCE = 100;
/** Read at the same time: few, because the watcher asks the same sources all the while. */
const LANES = 4;
/** So many addresses that cannot be read mean that the sources are away: the others are not tried. */
const MAX_SILENT = 20;
/** The longest that a payment waits for its money. */
const LONGEST_MS = 24 * 3_600_000;
const WHAT = 'arrivals read again from the chain';

/** Addresses of payments that were open at some time of the day, by the payment's id. */
const OPEN_ADDRESSES = `
  select w.address, p.id as cursor
    from payments p join watched_addresses w on w.client_id = p.client_id and w.livemode = p.livemode and w.payment_id = p.id
   where p.id > $1 and p.id < $2 and p.livemode = $3 and p.method = 'usdt_trc20' and p.expires_at > $4
   order by p.id limit ${ADDRESSES_AT_ONCE}`;

/** Other addresses at which something arrived on that day: people pay late, and again. */
const LATE_ADDRESSES = `
  select distinct w.address, w.address as cursor
    from chain_transfers c
    join watched_addresses w on w.chain = c.chain and w.address = c.address
    join payments p on p.client_id = w.client_id and p.livemode = w.livemode and p.id = w.payment_id
   where c.state = 'final' and c.block_time >= $4 and c.block_time < $5 and c.contract = $6 and w.livemode = $3 and w.address > $1
     and not (p.id > $2 and p.expires_at > $4)
   order by w.address limit ${ADDRESSES_AT_ONCE}`;

/** What the watcher has written down of that day, by address. */
const SEEN = `
  select address, hash from chain_transfers
   where chain = 'tron' and address = any ($1) and block_time >= $2 and block_time < $3 and contract = $4 and state = 'final'`;

/** What our books hold under the names of this money. */
const HELD = `
  select m.reference, coalesce(r.payment_id, d.id) as object, coalesce(r.currency, d.currency) as currency,
         coalesce(r.amount_minor, d.amount_minor)::text as minor
    from unnest($1::text[]) m (reference)
    ${heldUnder(`'tron'`, 'm.reference')}
   where coalesce(r.payment_id, d.id) is not null`;

interface Held {
  reference: string;
  object: string;
  currency: string;
  minor: string;
}

/** What the chain says now of a transaction for one address. */
interface Reread {
  reference: string;
  /** Undefined where it brings nothing there, or is not final. */
  minor?: bigint;
  /** Why nobody can say. */
  silence?: string;
  /** Whether it counts for this day even if nobody holds it. */
  isOfDay: boolean;
}

/**
 * Reads the chain once more for every address that could be paid to on that day, past everything that the watcher has written down, and
 * compares it with our books, money by money. Outside of any transaction, because the sources are slow.
 */
@Injectable()
export class RereadArrivals {
  constructor(
    @Inject(CHAIN_VIEW) private readonly view: ChainView | undefined,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Nothing where no source of the chain is set. What the sources do not answer is a difference: nobody has verified it. */
  async compare(day: ReportDay): Promise<Comparison[]> {
    if (!this.view) return [];
    const tally = new Tally('tron', WHAT);
    const silent: string[] = [];
    for await (const addresses of this.addressesOf(day)) {
      silent.push(...(await this.compareAddresses(this.view, day, addresses, tally)));
      if (silent.length >= MAX_SILENT) break;
    }
    const isAway = silent.length >= MAX_SILENT;
    // A source that was away for a moment is not worth an alarm.
    const unread = isAway ? silent : await this.compareAddresses(this.view, day, silent, tally);
    const note = `not verified: too few sources of the chain answer${isAway ? ', so the rest of the day was not read' : ''}`;
    for (const address of unread) tally.add({ kind: 'unverified', reference: address, currency: 'USDT', note });
    return tally.comparisons;
  }

  private async *addressesOf({ livemode, from, to }: ReportDay): AsyncGenerator<string[]> {
    const earliest = idLowerBound('pay', new Date(from.getTime() - LONGEST_MS));
    yield* this.pages(OPEN_ADDRESSES, earliest, [idLowerBound('pay', to), livemode, from]);
    yield* this.pages(LATE_ADDRESSES, '', [earliest, livemode, from, to, USDT_CONTRACT]);
  }

  private async *pages(sql: string, start: string, values: readonly unknown[]): AsyncGenerator<string[]> {
    for (let cursor = start; ;) {
      const rows = await this.unitOfWork.read<{ address: string; cursor: string }>('', sql, [cursor, ...values]);
      if (rows.length > 0) yield rows.map(({ address }) => address);
      if (rows.length < ADDRESSES_AT_ONCE) return;
      cursor = rows.at(-1)!.cursor;
    }
  }

  /** Answers the addresses that could not be read. */
  private async compareAddresses(view: ChainView, day: ReportDay, addresses: readonly string[], tally: Tally): Promise<string[]> {
    if (addresses.length === 0) return [];
    const rows = await this.unitOfWork.read<{ address: string; hash: string }>('', SEEN, [addresses, day.from, day.to, USDT_CONTRACT]);
    const seenAt = (wanted: string) => rows.filter(({ address }) => address === wanted).map(({ hash }) => hash);
    const found = await inParallel(addresses, LANES, (address) => rereadAddress(view, day, address, seenAt(address)));
    const money = found.flatMap((reread) => reread ?? []);
    const held = await this.unitOfWork.read<Held & Record<string, unknown>>('', HELD, [money.map(({ reference }) => reference)]);
    const byReference = new Map(held.map((row) => [row.reference, row]));
    for (const item of money.flatMap((reread) => comparedWith(reread, byReference.get(reread.reference)))) tally.add(item);
    return addresses.filter((_, at) => found[at] === undefined);
  }
}

/** All money of that day at an address, as the chain tells it and as the watcher did; undefined when too few sources list it. */
async function rereadAddress(
  view: ChainView, day: ReportDay, address: string, seen: readonly string[],
): Promise<Reread[] | undefined> {
  try {
    const { transfers } = await view.incoming(address, day.from);
    const listed = transfers.filter(({ contract, blockTime }) => contract === USDT_CONTRACT && blockTime < day.to).map(({ hash }) => hash);
    const reread: Reread[] = [];
    for (const hash of new Set([...seen, ...listed])) {
      reread.push({ reference: `${hash}:${address}`, ...readAs(await view.examine(hash), day, address, seen.includes(hash)) });
    }
    return reread;
  } catch (error) {
    if (error instanceof ChainUnavailable) return undefined;
    throw error;
  }
}

/** What a look at one transaction says of the money at an address; the watcher may have seen it there. */
function readAs(sighting: Sighting, { from, to }: ReportDay, address: string, isSeen: boolean): Omit<Reread, 'reference'> {
  if (sighting.state === 'unreachable' || sighting.state === 'disagreement') return { silence: sighting.reason, isOfDay: true };
  if (sighting.state !== 'seen' || !sighting.final) return { isOfDay: isSeen };
  const minor = sighting.transfers
    .filter(({ contract, to: payee }) => contract === USDT_CONTRACT && payee === address)
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  return { minor: minor > 0n ? minor : undefined, isOfDay: isSeen || (sighting.blockTime >= from && sighting.blockTime < to) };
}

/** Nothing for what is neither of that day nor in our books. */
function comparedWith({ reference, minor, silence, isOfDay }: Reread, held: Held | undefined): ComparedItem[] {
  if (!isOfDay || (minor === undefined && silence === undefined && !held)) return [];
  const ledgerMinor = held?.currency === 'USDT' ? BigInt(held.minor) : undefined;
  const item: ComparedItem = { reference, object: held?.object, currency: 'USDT', providerMinor: minor, ledgerMinor };
  if (silence !== undefined) return [{ ...item, kind: 'unverified', note: `not verified: ${silence}` }];
  if (minor === ledgerMinor) return [item];
  const kind = minor === undefined ? 'missing_at_provider' : held ? 'other_amount' : 'missing_in_ledger';
  return [{ ...item, kind }];
}
