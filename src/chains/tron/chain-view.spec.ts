import { FakeSources } from '../../../test/support/fake-sources';
import { FakeTron, type TronFault } from '../../../test/support/fake-tron';
import { FakeTronChain, someAddress } from '../../../test/support/fake-tron-chain';
import { type ChainTrouble, ChainUnavailable, ChainView } from './chain-view';
import { openTronSource } from './open-source';
import { USDT_CONTRACT } from './tron-address';

const PAST = new Date(Date.now() - 3_600_000);

describe('the chain by several sources', () => {
  let sources: FakeSources;
  let chain: FakeTronChain;
  let servers: FakeTron[];
  let troubles: ChainTrouble[];

  beforeEach(() => {
    sources = new FakeSources();
    ({ chain, servers, troubles } = sources);
  });
  afterEach(() => jest.restoreAllMocks());
  afterEach(() => sources.stop());

  const viewByTwo = () => sources.viewBy('trongrid', 'tronscan');
  const viewByThree = () => sources.viewBy('trongrid', 'tronscan', 'trongrid');
  const nameOf = (at: number) => sources.nameOf(at);
  const paid = (amountMinor = 25_000_000n) => chain.transfer({ to: someAddress(), amountMinor });

  describe('a transaction', () => {
    it('is unknown, then seen, then final at its nineteenth block', async () => {
      const view = await viewByTwo();
      expect(await view.examine('ab'.repeat(32))).toEqual({ state: 'unknown' });
      const hash = paid();
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: false, confirmations: 1 });
      chain.confirm(hash, 18);
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: false, confirmations: 18 });
      chain.confirm(hash, 19);
      const { block, at } = chain.get(hash)!;
      expect(await view.examine(hash.toUpperCase())).toMatchObject({
        state: 'seen', final: true, hash, blockNumber: block, blockTime: at, confirmations: 19, transfers: [{ amountMinor: 25_000_000n }],
      });
      expect(troubles).toEqual([]);
    });

    it('is told alike whatever else is in it', async () => {
      const view = await viewByTwo();
      const to = someAddress();
      const hashes = [
        chain.transfer({ to, amountMinor: 1n }, { to, amountMinor: 1n }, { to, amountMinor: 0n }),
        chain.transfer(
          { to, amountMinor: 2n },
          { to, amountMinor: 3n, kind: 'approval' },
          { to, amountMinor: 5n, kind: 'nft' },
          { to, amountMinor: 4n, contract: someAddress() },
        ),
        chain.plainPayment(),
      ];
      chain.advance(30);
      const told = await Promise.all(hashes.map((hash) => view.examine(hash)));
      expect(told).toMatchObject(hashes.map(() => ({ state: 'seen', final: true })));
      expect(told.map((sighting) => (sighting.state === 'seen' ? sighting.transfers.length : -1))).toEqual([2, 2, 0]);
    });

    it.each(['REVERT', 'OUT_OF_ENERGY'])('that ended with %s is reverted, for good when final', async (result) => {
      const view = await viewByTwo();
      const hash = chain.transfer({ to: someAddress(), amountMinor: 1n, result });
      expect(await view.examine(hash)).toMatchObject({ state: 'reverted', final: false, failure: result, transfers: [] });
      chain.confirm(hash);
      expect(await view.examine(hash)).toMatchObject({ state: 'reverted', final: true, failure: result });
    });

    it('whose block was taken back is unknown, or seen anew in another block', async () => {
      const view = await viewByTwo();
      const [dropped, moved] = [paid(), paid()];
      chain.confirm(moved, 12);
      const before = await view.examine(moved);
      chain.reorganise(dropped, 'drop');
      chain.reorganise(moved, 'move');
      expect(await view.examine(dropped)).toEqual({ state: 'unknown' });
      expect(before).toMatchObject({ state: 'seen', confirmations: 12 });
      expect(await view.examine(moved)).toMatchObject({ state: 'seen', confirmations: 1, blockNumber: chain.head().number });
      expect(troubles).toEqual([]);
    });

    it('is asked for by a whole hash only', async () => {
      const view = await sources.viewBy('trongrid');
      for (const hash of ['', 'ab'.repeat(31), 'xy'.repeat(32), `${'ab'.repeat(32)}/..`]) {
        await expect(view.examine(hash)).rejects.toThrow(RangeError);
      }
      expect(servers[0]!.asked).toEqual([]);
    });
  });

  describe('sources that contradict each other', () => {
    it.each([
      ['another amount', { amountMinor: 25_000_001n }, 'tell different transfers'],
      ['a success where there was none', { succeeded: false }, 'tell different results'],
    ])('about %s leave everything open, final or not', async (_what, lie, reason) => {
      const view = await viewByTwo();
      const hash = paid();
      servers[1]!.lie(hash, lie);
      for (const confirmations of [1, 40]) {
        chain.confirm(hash, confirmations);
        expect(await view.examine(hash)).toEqual({ state: 'disagreement', reason: expect.stringContaining(reason) });
      }
      expect(troubles).toMatchObject([{ kind: 'disagreement', hash, source: `${nameOf(0)}, ${nameOf(1)}` }]);
    });

    it('are reported once an hour for each hash, however often it is looked at', async () => {
      const view = await viewByTwo();
      const hashes = [paid(), paid()];
      const look = async () => {
        for (const hash of hashes) expect(await view.examine(hash)).toMatchObject({ state: 'disagreement' });
      };
      for (const hash of hashes) servers[1]!.lie(hash, { amountMinor: 1n });
      for (let looks = 0; looks < 3; looks += 1) await look();
      expect(troubles).toMatchObject(hashes.map((hash) => ({ kind: 'disagreement', hash })));
      jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
      await look();
      expect(troubles).toHaveLength(4);
    });

    it('about other tokens than USDT are let be: of those counts what a quorum lists', async () => {
      const view = await viewByTwo();
      const to = someAddress();
      const [both, one] = [someAddress(), someAddress()];
      const hash = chain.transfer(
        { to, amountMinor: 1n },
        { to, amountMinor: 2n, contract: both },
        { to, amountMinor: 2n, contract: both },
        { to, amountMinor: 3n, contract: one },
      );
      const other = new FakeTronChain();
      const whole = chain.get(hash)!;
      jest.spyOn(other, 'get').mockReturnValue({ ...whole, events: whole.events.slice(0, 2) });
      servers.push(await FakeTron.start({ chain: other, dialect: 'tronscan' }));
      const split = new ChainView([openTronSource({ baseUrl: servers[0]!.url }), openTronSource({ baseUrl: servers[2]!.url })]);
      for (const grown of [chain, other]) grown.advance(30);
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: true, transfers: { length: 4 } });
      const told = await split.examine(hash);
      expect(told).toMatchObject({ state: 'seen', final: true });
      expect(told.state === 'seen' && told.transfers.map(({ contract }) => contract)).toEqual([USDT_CONTRACT, both]);
    });

    it('are not outvoted, not even two against one', async () => {
      const view = await viewByThree();
      const hash = paid();
      chain.confirm(hash);
      servers[2]!.lie(hash, { amountMinor: 1n });
      expect(await view.examine(hash)).toMatchObject({ state: 'disagreement' });
    });

    it('about the block are let be until it is final', async () => {
      const view = await viewByTwo();
      const hash = paid();
      const other = new FakeTronChain();
      jest.spyOn(other, 'get').mockReturnValue({ ...chain.get(hash)!, block: chain.get(hash)!.block + 1 });
      servers.push(await FakeTron.start({ chain: other, dialect: 'tronscan' }));
      const split = new ChainView([openTronSource({ baseUrl: servers[0]!.url }), openTronSource({ baseUrl: servers[2]!.url })]);
      for (const one of [chain, other]) one.advance(10);
      expect(await split.examine(hash)).toMatchObject({ state: 'seen', final: false });
      for (const one of [chain, other]) one.advance(20);
      expect(await split.examine(hash)).toEqual({ state: 'disagreement', reason: expect.stringContaining('different blocks') });
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: true });
    });

    it('contradict when one does not know what another calls final, though it has come as far', async () => {
      const view = await viewByTwo();
      const hash = paid();
      servers[0]!.lie(hash, { unknown: true });
      chain.confirm(hash, 18);
      expect(await view.examine(hash)).toEqual({ state: 'unknown' });
      chain.confirm(hash, 19);
      expect(await view.examine(hash)).toEqual({ state: 'disagreement', reason: expect.stringContaining('does not know it') });
      expect(troubles).toMatchObject([{ kind: 'disagreement', hash }]);
    });

    it('contradict when one of three does not know it', async () => {
      const view = await viewByThree();
      const hash = paid();
      chain.confirm(hash);
      servers[2]!.lie(hash, { unknown: true });
      expect(await view.examine(hash)).toMatchObject({ state: 'disagreement' });
    });

    it('do not contradict when one is only behind', async () => {
      const view = await viewByTwo();
      servers[0]!.freeze();
      const hash = paid();
      chain.confirm(hash);
      expect(await view.examine(hash)).toEqual({ state: 'unknown' });
      servers[0]!.thaw();
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: true });
      expect(troubles).toEqual([]);
    });
  });

  describe('sources that do not answer', () => {
    it('leave everything open when one of two is down, even for what failed', async () => {
      const view = await viewByTwo();
      const hashes = [paid(), chain.transfer({ to: someAddress(), amountMinor: 1n, result: 'REVERT' })];
      chain.advance(30);
      await servers[1]!.stop();
      for (const hash of hashes) {
        expect(await view.examine(hash)).toEqual({ state: 'unreachable', reason: expect.stringContaining('ECONNREFUSED') });
      }
      expect(troubles).toMatchObject(hashes.map((hash) => ({ kind: 'unreachable', hash })));
    });

    const faults: TronFault[] = ['drop', 'status500', 'throttle', 'garbage', 'error200'];
    it.each(faults)('leave everything open when both answer %s', async (mode) => {
      const view = await viewByTwo();
      const hash = paid();
      chain.confirm(hash);
      for (const server of servers) server.fail({ mode });
      expect(await view.examine(hash)).toMatchObject({ state: 'unreachable' });
      await expect(view.head()).rejects.toThrow(ChainUnavailable);
      await expect(view.incoming(someAddress(), PAST)).rejects.toThrow(ChainUnavailable);
      for (const server of servers) server.heal();
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: true });
    });

    it('do not hold up the others when it is one of three', async () => {
      const view = await viewByThree();
      const hash = paid();
      chain.confirm(hash);
      await servers[1]!.stop();
      expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: true });
      expect(await view.head()).toMatchObject({ number: chain.head().number });
      expect(troubles[0]).toMatchObject({ kind: 'unreachable', source: nameOf(1) });
    });

    it('do not hold up the others when one of three stands still', async () => {
      const view = await viewByThree();
      const known = paid();
      servers[0]!.freeze();
      const unknown = paid();
      chain.confirm(unknown);
      expect(await view.examine(known)).toMatchObject({ state: 'seen', final: true });
      expect(await view.examine(unknown)).toMatchObject({ state: 'seen', final: true });
      expect(await view.head()).toMatchObject({ number: chain.head().number });
      expect(troubles).toEqual([]);
    });

    it('stop everything when two of three are gone', async () => {
      const view = await viewByThree();
      const hash = paid();
      chain.confirm(hash);
      await Promise.all([servers[0]!.stop(), servers[1]!.stop()]);
      expect(await view.examine(hash)).toMatchObject({ state: 'unreachable' });
    });
  });

  it('is read by a single source where there is only one', async () => {
    const view = await sources.viewBy('tronscan');
    const hash = paid();
    chain.confirm(hash);
    expect(await view.examine(hash)).toMatchObject({ state: 'seen', final: true });
    expect(() => new ChainView([])).toThrow('at least one source');
  });
});
