import { type ChainTrouble, ChainView } from '../../src/chains/tron/chain-view';
import { openTronSource } from '../../src/chains/tron/open-source';
import { FakeTron } from './fake-tron';
import { FakeTronChain } from './fake-tron-chain';
import type { TronDialect } from './fake-tron-dialects';

/** Servers that tell of one chain in memory, a view by all of them, and what it reports. */
export class FakeSources {
  readonly chain = new FakeTronChain();
  readonly servers: FakeTron[] = [];
  readonly troubles: ChainTrouble[] = [];

  /** Starts one server for each dialect. */
  async viewBy(...dialects: TronDialect[]): Promise<ChainView> {
    for (const dialect of dialects) this.servers.push(await FakeTron.start({ chain: this.chain, dialect }));
    const sources = this.servers.map(({ url }) => openTronSource({ baseUrl: url, timeoutMs: 2_000 }));
    return new ChainView(sources, (trouble) => this.troubles.push(trouble));
  }

  nameOf(at: number): string {
    return new URL(this.servers[at]!.url).host;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
