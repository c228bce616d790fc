import { contradictionAmong, isFinal, keyOf, type Known, quorumth, type Told, transfersToldBy } from './agreement';
import { OnceInAWhile } from './once-in-a-while';
import {
  type ChainHead, type ChainTransaction, FINAL_CONFIRMATIONS, type ListedTransfer, SourceError, TRANSACTION_HASH, type TronSource,
} from './tron-source';

/** A block cannot be made before its time; clocks differ by seconds. */
const MAX_AHEAD_MS = 60_000;
/** A contradiction is looked at every few seconds for as long as it lasts; people and the circuit breaker are told of it once. */
const TOLD_AGAIN_MS = 3_600_000;
const REMEMBERED = 1_000;

/** What the sources together say about a hash; see ChainView.examine. */
export type Sighting =
  | { state: 'unknown' }
  | { state: 'unreachable'; reason: string }
  | { state: 'disagreement'; reason: string }
  | ({ state: 'reverted'; final: boolean; failure: string } & ChainTransaction)
  | ({ state: 'seen'; final: boolean } & ChainTransaction);

/** The transfers to an address, oldest first, and until when none can be missing. */
export interface Incoming {
  transfers: ListedTransfer[];
  completeUntil: Date;
}

/** Something that people should know about a source; `source` is a host, or several joined by commas. */
export interface ChainTrouble {
  kind: SourceError['reason'] | 'disagreement';
  source: string;
  reason: string;
  hash?: string;
}

/** Fewer sources than a quorum answered. It says nothing about the chain; ask again later. */
export class ChainUnavailable extends Error {
  constructor(readonly reason: string) {
    super(`The TRON chain cannot be read: ${reason}.`);
    this.name = 'ChainUnavailable';
  }
}

/**
 * The TRON chain as several sources tell it. Nothing counts that only a minority says: a quorum is more than half of all sources
 * that are configured, whether or not they answer. One source alone is its own quorum; two must both agree; three bear with one
 * that is down or behind.
 */
export class ChainView {
  private readonly quorum: number;
  private readonly contradictions = new OnceInAWhile(TOLD_AGAIN_MS, REMEMBERED);

  /** @param report is told of sources that fail, each time anew, and of sources that contradict each other about a hash, once an hour. */
  constructor(
    private readonly sources: readonly TronSource[],
    private readonly report: (trouble: ChainTrouble) => void = () => undefined,
  ) {
    if (sources.length === 0) throw new Error('Reading the chain needs at least one source.');
    this.quorum = Math.floor(sources.length / 2) + 1;
  }

  /**
   * Asks all sources about a transaction and compares what they say. Only `final` may move money.
   *
   * - `unreachable`: fewer than a quorum answered. It is never a failure of the payment.
   * - `unknown`: fewer than a quorum know the hash (yet).
   * - `disagreement`: two sources tell another result or other transfers of USDT; or both call it final in different blocks; or one
   *   calls it final that another does not know, although that one's own head is far enough beyond its block. Reported.
   * - `seen`, `reverted`: a quorum tells the same result and the same transfers of USDT, and nobody contradicts. Of other tokens it has
   *   the transfers that a quorum lists. `confirmations`, the block and its time are those that a quorum has reached: of the quorum that
   *   is furthest ahead, the one that is least far. A source that lags behind thus neither holds up the others nor contradicts them.
   *   `final` from 19 confirmations on; before, the transaction can still move to another block or vanish, and a reverted one can yet
   *   succeed.
   *
   * @throws RangeError for what is no hash
   */
  async examine(hash: string, signal?: AbortSignal): Promise<Sighting> {
    const wanted = hash.toLowerCase();
    if (!TRANSACTION_HASH.test(wanted)) throw new RangeError('A transaction hash has 64 hex digits.');
    const { told, silence } = await this.askAll((source) => source.transaction(wanted, signal), wanted);
    if (told.length < this.quorum) return { state: 'unreachable', reason: silence };

    const known = told.flatMap(({ source, value }): Known[] => (value ? [{ source, value }] : []));
    const contradiction = contradictionAmong(known) ?? (await this.contradictionOfIgnorant(told, known, signal));
    if (contradiction) {
      if (this.contradictions.isNew(wanted)) this.report({ kind: 'disagreement', hash: wanted, ...contradiction });
      return { state: 'disagreement', reason: contradiction.reason };
    }
    if (known.length < this.quorum) return { state: 'unknown' };
    const reached = [...known].sort((a, b) => b.value.confirmations - a.value.confirmations)[this.quorum - 1]!.value;
    const final = isFinal(reached);
    return reached.succeeded
      ? { state: 'seen', final, ...reached, transfers: transfersToldBy(this.quorum, known) }
      : { state: 'reverted', final, ...reached, failure: reached.failure ?? 'FAILED' };
  }

  /**
   * The newest block that a quorum has reached, and the newest time: each by itself the lowest of the quorum that is furthest ahead, so
   * that nobody who is believed about the one brings the other with it.
   * @throws ChainUnavailable
   */
  async head(signal?: AbortSignal): Promise<ChainHead> {
    const { told, silence } = await this.askAll((source) => headOf(source, signal));
    return this.headReached(told.map(({ value }) => value), silence);
  }

  /**
   * The token transfers to an address in blocks from a time on, of all tokens, as any source lists them, oldest first. Equal
   * transfers of one transaction are listed once. A list says which transactions to examine; it is no proof of anything.
   *
   * A quorum has been listed to the end up to `completeUntil`, the head's time before the listing began. The services index a
   * block some time after they know it, so the next listing should begin some minutes before the last `completeUntil`.
   *
   * @throws ChainUnavailable when fewer than a quorum could be listed to the end
   */
  async incoming(address: string, from: Date, signal?: AbortSignal): Promise<Incoming> {
    const { told, silence } = await this.askAll(async (source) => {
      const head = await headOf(source, signal);
      const transfers: ListedTransfer[] = [];
      for await (const page of source.transfersTo(address, from, signal)) transfers.push(...page);
      return { head, transfers };
    });
    const { at: completeUntil } = this.headReached(told.map(({ value }) => value.head), silence);
    const all = new Map(told.flatMap(({ value }) => value.transfers.map((transfer) => [keyOfListed(transfer), transfer])));
    return { transfers: [...all.values()].sort((a, b) => a.blockTime.getTime() - b.blockTime.getTime()), completeUntil };
  }

  /** Asks every source at once. Who fails is reported and left out; `silence` says who that was. */
  private async askAll<T>(ask: (source: TronSource) => Promise<T>, hash?: string): Promise<{ told: Told<T>[]; silence: string }> {
    const told: Told<T>[] = [];
    const silent: string[] = [];
    await Promise.all(this.sources.map(async (source) => {
      try {
        told.push({ source, value: await ask(source) });
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        this.report({ kind: error.reason, source: source.name, reason: error.message, ...(hash && { hash }) });
        silent.push(error.message);
      }
    }));
    return { told, silence: silent.join('; ') };
  }

  private headReached(heads: ChainHead[], silence: string): ChainHead {
    if (heads.length < this.quorum) throw new ChainUnavailable(silence);
    return {
      number: quorumth(this.quorum, heads.map(({ number }) => number)),
      at: new Date(quorumth(this.quorum, heads.map(({ at }) => at.getTime()))),
    };
  }

  /**
   * Who does not know a transaction that another calls final either contradicts, or has not come so far. Its head tells which:
   * on a chain so long that the transaction's block would be final, the transaction would have to be there.
   */
  private async contradictionOfIgnorant(told: Told<ChainTransaction | undefined>[], known: Known[], signal?: AbortSignal) {
    const believer = known.find(({ value }) => isFinal(value));
    if (!believer) return undefined;
    const neededHead = believer.value.blockNumber + FINAL_CONFIRMATIONS - 1;
    for (const { source, value } of told) {
      if (value || (await blocksOf(source, signal)) < neededHead) continue;
      const [one, other] = [believer.source.name, source.name];
      return { source: `${one}, ${other}`, reason: `${one} calls it final, ${other} does not know it` };
    }
    return undefined;
  }
}

/**
 * The newest block of one source.
 * @throws SourceError also for a block from the future: whoever believed it would take everything until then for seen
 */
async function headOf(source: TronSource, signal?: AbortSignal): Promise<ChainHead> {
  const head = await source.head(signal);
  if (head.at.getTime() <= Date.now() + MAX_AHEAD_MS) return head;
  throw new SourceError(source.name, 'malformed', `its newest block is of ${head.at.toISOString()}, more than a minute ahead of our clock`);
}

/** The number of a source's newest block; one that does not tell it has reached none. */
async function blocksOf(source: TronSource, signal?: AbortSignal): Promise<number> {
  try {
    return (await headOf(source, signal)).number;
  } catch (error) {
    if (error instanceof SourceError) return -1;
    throw error;
  }
}

function keyOfListed(transfer: ListedTransfer): string {
  return `${transfer.hash} ${keyOf(transfer)}`;
}
