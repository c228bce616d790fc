import type { SourceOptions } from './source-client';
import { type ChainHead, type ChainTransaction, type ListedTransfer, SourceError, type TronSource } from './tron-source';
import { TronGridSource } from './trongrid-source';
import { TronScanSource } from './tronscan-source';

/**
 * The source at one address. The host's name says which service it is; any other host (a node of one's own, a proxy) is asked
 * at its first use.
 */
export function openTronSource(options: SourceOptions): TronSource {
  const { hostname } = new URL(options.baseUrl);
  if (hostname.includes('tronscan')) return new TronScanSource(options);
  if (hostname.includes('trongrid')) return new TronGridSource(options);
  return new UnnamedSource(options);
}

/** A source that finds out by itself which service it is. Who does not answer is asked again next time. */
class UnnamedSource implements TronSource {
  readonly name: string;
  private readonly trongrid: TronGridSource;
  private readonly tronscan: TronScanSource;
  private found?: Promise<TronSource>;

  constructor(options: SourceOptions) {
    this.trongrid = new TronGridSource(options);
    this.tronscan = new TronScanSource(options);
    this.name = this.trongrid.name;
  }

  async head(signal?: AbortSignal): Promise<ChainHead> {
    return (await this.find()).head(signal);
  }

  async transaction(hash: string, signal?: AbortSignal): Promise<ChainTransaction | undefined> {
    return (await this.find()).transaction(hash, signal);
  }

  async *transfersTo(address: string, from: Date, signal?: AbortSignal): AsyncIterable<ListedTransfer[]> {
    yield* (await this.find()).transfersTo(address, from, signal);
  }

  /** Many may wait for the same question, so that it is not given up with one of them. */
  private find(): Promise<TronSource> {
    this.found ??= this.ask().catch((error: unknown) => {
      this.found = undefined;
      throw error;
    });
    return this.found;
  }

  private async ask(): Promise<TronSource> {
    try {
      await this.trongrid.head();
      return this.trongrid;
    } catch (error) {
      if (!(error instanceof SourceError) || error.reason !== 'malformed') throw error;
    }
    // Not taken on trust: a full node that answers nonsense for a moment is no TronScan for that.
    await this.tronscan.head();
    return this.tronscan;
  }
}
