import { FakeSources } from '../../../test/support/fake-sources';
import type { FakeTron } from '../../../test/support/fake-tron';
import { type FakeTronChain, someAddress } from '../../../test/support/fake-tron-chain';
import { type ChainTrouble, ChainUnavailable } from './chain-view';

const PAST = new Date(Date.now() - 3_600_000);

describe('the head of the chain and what came in, by several sources', () => {
  let sources: FakeSources;
  let chain: FakeTronChain;
  let servers: FakeTron[];
  let troubles: ChainTrouble[];

  beforeEach(() => {
    sources = new FakeSources();
    ({ chain, servers, troubles } = sources);
  });
  afterEach(() => sources.stop());

  const viewByTwo = () => sources.viewBy('trongrid', 'tronscan');
  const viewByThree = () => sources.viewBy('trongrid', 'tronscan', 'trongrid');
  const nameOf = (at: number) => sources.nameOf(at);
  it('is not led on by one of three that claims to be far ahead', async () => {
    const view = await viewByThree();
    const hash = chain.transfer({ to: someAddress(), amountMinor: 1n });
    const block = { number: chain.head().number + 1_000, timestamp: Date.now() + 3_000_000 };
    await view.head();
    servers[2]!.say('/wallet/getnowblock', { block_header: { raw_data: block } });
    expect(await view.head()).toMatchObject({ number: chain.head().number });
    expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: false, confirmations: 1 });
    expect((await view.incoming(someAddress(), PAST)).completeUntil.getTime()).toBeLessThan(block.timestamp);
  });

  it('takes a head in the future for no answer, and reports it', async () => {
    const view = await viewByTwo();
    servers[1]!.freeze(new Date(Date.now() + 61_000));
    chain.advance();
    await expect(view.head()).rejects.toThrow(ChainUnavailable);
    await expect(view.incoming(someAddress(), PAST)).rejects.toThrow('ahead of our clock');
    expect(troubles).toMatchObject([1, 2].map(() => ({ kind: 'malformed', source: nameOf(1) })));
    servers[1]!.freeze(new Date(Date.now() + 50_000));
    expect((await view.head()).at.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('does not take the time from whoever has the number', async () => {
    const view = await viewByThree();
    const now = new Date();
    // The second furthest ahead says the latest time of all.
    for (const [at, time] of [[2, now], [1, new Date(now.getTime() + 50_000)], [0, now]] as const) {
      servers[at]!.freeze(time);
      chain.advance();
    }
    expect(await view.head()).toEqual({ number: chain.head().number - 2, at: now });
    expect((await view.incoming(someAddress(), PAST)).completeUntil).toEqual(now);
  });

  it('has the head that both of two have reached', async () => {
    const view = await viewByTwo();
    const at = new Date(Date.now() - 600_000);
    servers[1]!.freeze(at);
    const { number } = chain.head();
    chain.advance(100);
    expect(await view.head()).toEqual({ number, at });
  });

  describe('what came in', () => {
    it('is what any of them lists, once, oldest first, and complete as far as both have come', async () => {
      const view = await viewByTwo();
      const to = someAddress();
      const hashes = [1, 2, 3].map((amount) => chain.transfer({ to, amountMinor: BigInt(amount) }));
      const frozenAt = new Date(Date.now() - 60_000);
      servers[1]!.lie(hashes[0]!, { unknown: true });
      servers[0]!.lie(hashes[1]!, { unknown: true });
      servers[1]!.freeze(frozenAt);
      hashes.push(chain.transfer({ to, amountMinor: 4n }, { to, amountMinor: 5n }));

      const { transfers, completeUntil } = await view.incoming(to, PAST);
      expect(transfers.map(({ hash }) => hash)).toEqual([...hashes, hashes[3]]);
      expect(completeUntil).toEqual(frozenAt);
    });

    it('is complete until the head before the listing, not after it', async () => {
      const view = await viewByTwo();
      const to = someAddress();
      await view.incoming(to, PAST);
      for (const { asked } of servers) expect(asked.at(-1)).toContain(to);
    });

    it('is refused when one of two cannot be listed to its end', async () => {
      const view = await viewByTwo();
      const to = someAddress();
      for (let at = 0; at < 60; at += 1) chain.transfer({ to, amountMinor: 1n });
      const listing = view.incoming(to, PAST);
      await servers[1]!.onceAsked('/api/token_trc20/transfers');
      servers[1]!.fail({ mode: 'throttle' });
      await expect(listing).rejects.toThrow(ChainUnavailable);
      expect(troubles).toMatchObject([{ kind: 'throttled', source: nameOf(1) }]);
    });

    it('is listed by two of three', async () => {
      const view = await viewByThree();
      const to = someAddress();
      const hash = chain.transfer({ to, amountMinor: 1n });
      servers[2]!.fail({ mode: 'garbage' });
      expect((await view.incoming(to, PAST)).transfers).toMatchObject([{ hash }]);
      expect(troubles).toMatchObject([{ kind: 'malformed', source: nameOf(2) }]);
    });
  });
});
