import { someAddress } from '../../../test/support/fake-tron-chain';
import { FakeTron, type TronFault } from '../../../test/support/fake-tron';
import type { SourceOptions } from './source-client';
import { USDT_CONTRACT } from './tron-address';
import { type ListedTransfer, SourceError, type TronSource } from './tron-source';
import { TronGridSource } from './trongrid-source';
import { TronScanSource } from './tronscan-source';

const START = new Date(Date.now() - 3_600_000);
const SECRET_KEY = 'key-that-nobody-may-read';

async function listed(source: TronSource, address: string, from = START): Promise<ListedTransfer[]> {
  const all: ListedTransfer[] = [];
  for await (const page of source.transfersTo(address, from)) all.push(...page);
  return all;
}

async function faultOf(asking: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

describe.each([
  { dialect: 'trongrid' as const, Source: TronGridSource },
  { dialect: 'tronscan' as const, Source: TronScanSource },
])('$dialect', ({ dialect, Source }) => {
  let server: FakeTron;
  const open = (options: Partial<SourceOptions> = {}): TronSource => new Source({ baseUrl: server.url, ...options });
  const transactionOf = async (hash: string) => (await open().transaction(hash))!;

  beforeEach(async () => {
    server = await FakeTron.start({ dialect });
  });
  afterEach(() => server.stop());

  it('tells the newest block', async () => {
    server.chain.advance(5);
    const head = await open().head();
    expect(head.number).toBe(server.chain.head().number);
    expect(Math.abs(head.at.getTime() - Date.now())).toBeLessThan(60_000);
  });

  it('tells a transaction with its transfer and its confirmations', async () => {
    const [from, to] = [someAddress(), someAddress()];
    const hash = server.chain.transfer({ from, to, amountMinor: 12_000_001n });
    const { block, at } = server.chain.get(hash)!;
    server.chain.confirm(hash, 7);

    expect(await open().transaction(hash.toUpperCase())).toBeDefined();
    expect(await open().transaction(hash)).toEqual({
      hash,
      blockNumber: block,
      blockTime: at,
      confirmations: 7,
      succeeded: true,
      transfers: [{ contract: USDT_CONTRACT, from, to, amountMinor: 12_000_001n }],
    });
    server.chain.confirm(hash);
    expect(await open().transaction(hash)).toMatchObject({ confirmations: 19 });
  });

  it('does not know a hash that is not on the chain, or no longer', async () => {
    expect(await open().transaction('ab'.repeat(32))).toBeUndefined();
    const hash = server.chain.transfer({ to: someAddress(), amountMinor: 1n });
    server.chain.reorganise(hash, 'drop');
    expect(await open().transaction(hash)).toBeUndefined();
  });

  it.each(['REVERT', 'OUT_OF_ENERGY'])('tells a call that ended with %s as failed and without transfers', async (result) => {
    const to = someAddress();
    const hash = server.chain.transfer({ to, amountMinor: 5n, result });
    expect(await open().transaction(hash)).toMatchObject({ succeeded: false, failure: result, transfers: [] });
    expect(await listed(open(), to)).toEqual([]);
  });

  it('tells every transfer of a transaction, equal ones too, and leaves out what moves no tokens', async () => {
    const [from, to] = [someAddress(), someAddress()];
    const hash = server.chain.transfer(
      { from, to, amountMinor: 5n },
      { from, to, amountMinor: 5n },
      { from, to: someAddress(), amountMinor: 7n },
      { from, to, amountMinor: 0n },
      { from, to, amountMinor: 2n ** 256n - 1n, kind: 'approval' },
      { from, to, amountMinor: 9n, kind: 'nft' },
    );
    expect((await transactionOf(hash)).transfers.map(({ amountMinor }) => String(amountMinor)).sort()).toEqual(['5', '5', '7']);
    expect((await listed(open(), to)).map(({ amountMinor }) => amountMinor)).toEqual([5n, 5n]);
  });

  it('reads amounts beyond what a number holds', async () => {
    const amountMinor = 2n ** 255n + 1n;
    const hash = server.chain.transfer({ to: someAddress(), amountMinor });
    expect((await transactionOf(hash)).transfers[0]!.amountMinor).toBe(amountMinor);
  });

  it('takes a payment in TRX for a success without transfers', async () => {
    expect(await transactionOf(server.chain.plainPayment())).toMatchObject({ succeeded: true, transfers: [] });
  });

  it('lists a token that only calls itself USDT under its own contract', async () => {
    const [to, contract] = [someAddress(), someAddress()];
    const hash = server.chain.transfer({ to, contract, symbol: 'USDT\u0000\u202e', amountMinor: 10n });
    expect(await listed(open(), to)).toEqual([expect.objectContaining({ hash, contract, symbol: 'USDT' })]);
  });

  it('tells look-alike senders apart by the whole address', async () => {
    const [to, from] = [someAddress(), someAddress()];
    let lookAlike = someAddress();
    while (lookAlike.slice(-2) !== from.slice(-2)) lookAlike = someAddress();
    server.chain.transfer({ to, from, amountMinor: 10n });
    server.chain.transfer({ to, from: lookAlike, amountMinor: 0n });
    server.chain.transfer({ to, from: lookAlike, amountMinor: 1n });
    expect((await listed(open(), to)).map((row) => [row.from, row.amountMinor])).toEqual([[from, 10n], [lookAlike, 1n]]);
  });

  it('lists 401 transfers to an address from a time on, oldest first, and nobody else\'s', async () => {
    const to = someAddress();
    server.chain.transfer({ to, amountMinor: 1n, at: new Date(START.getTime() - 1_000) });
    const hashes = Array.from({ length: 401 }, (_, at) =>
      server.chain.transfer({ to, amountMinor: BigInt(at + 1), at: new Date(START.getTime() + at * 3_000) }));
    server.chain.transfer({ to: someAddress(), from: to, amountMinor: 1n });

    const rows = await listed(open(), to);
    expect(rows.map(({ hash }) => hash)).toEqual(hashes);
    expect(rows[400]).toMatchObject({ to, amountMinor: 401n, blockTime: new Date(START.getTime() + 400 * 3_000) });
    expect(server.asked.filter((path) => path.includes(to))).toHaveLength(dialect === 'trongrid' ? 3 : 9);
  });

  it.each<[TronFault, SourceError['reason'], RegExp]>([
    ['throttle', 'throttled', /status 429/],
    ['error200', 'throttled', /an error instead of data/],
    ['status500', 'unreachable', /status 500/],
    ['drop', 'unreachable', /UND_ERR_SOCKET|ECONNRESET/],
    ['garbage', 'malformed', /not JSON/],
    ['redirect', 'malformed', /status 302/],
    ['huge', 'malformed', /too long/],
  ])('answers %s with the error %s, and reads again afterwards', async (mode, reason, detail) => {
    server.fail({ mode });
    const source = open({ apiKey: SECRET_KEY });
    for (const asking of [source.head(), source.transaction('ab'.repeat(32)), listed(source, someAddress())]) {
      const error = await faultOf(asking);
      expect(error).toMatchObject({ reason, source: new URL(server.url).host, message: expect.stringMatching(detail) });
    }
    expect(server.requests.has('/elsewhere')).toBe(false);
    server.heal();
    expect(await source.transaction('ab'.repeat(32))).toBeUndefined();
  });

  it('gives up when the time is over, and when it is told to', async () => {
    server.fail({ mode: 'delay' });
    const late = await faultOf(open({ timeoutMs: 50 }).head());
    expect(late).toMatchObject({ reason: 'unreachable', message: expect.stringContaining('50 ms') });
    expect(await faultOf(open().head(AbortSignal.timeout(50)))).toMatchObject({ reason: 'unreachable' });
  });

  it('says so when nobody listens', async () => {
    const source = open();
    await server.stop();
    expect(await faultOf(source.head())).toMatchObject({ reason: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('fails as a whole when a later page fails', async () => {
    const to = someAddress();
    for (let at = 0; at < 201; at += 1) server.chain.transfer({ to, amountMinor: 1n });
    const source = open();
    const reading = (async () => {
      for await (const page of source.transfersTo(to, START)) {
        expect(page.length).toBeLessThan(201);
        server.fail({ mode: 'status500' });
      }
    })();
    if (dialect === 'tronscan') server.fail({ mode: 'status500' });
    expect(await faultOf(reading)).toMatchObject({ reason: 'unreachable' });
  });

  it('sends its key, and tells it and the path to nobody', async () => {
    const source = open({ baseUrl: `${server.url}/${SECRET_KEY}/?${SECRET_KEY}`, apiKey: SECRET_KEY });
    const error = await faultOf(source.head());
    expect([...server.keys]).toEqual([SECRET_KEY]);
    expect(server.asked[0]).toMatch(new RegExp(`^/${SECRET_KEY}/(wallet|api)/`));
    expect(JSON.stringify([source.name, error, error.message, String(error.cause)])).not.toContain(SECRET_KEY);

    const badKey = await faultOf(open({ apiKey: `${SECRET_KEY}\n\u0000` }).head());
    expect(JSON.stringify([badKey, badKey.message, String(badKey.cause)])).not.toContain(SECRET_KEY);
  });

  it.each([
    ['nothing', null], ['a list', []], ['a number', 7], ['a text', 'ok'], ['no block', { data: [], block_header: {} }],
    ['a block without a number', { data: [{ timestamp: 1 }], block_header: { raw_data: { timestamp: 1 } } }],
    ['a number that was rounded', {
      data: [{ number: 2 ** 60, timestamp: Date.now() }], block_header: { raw_data: { number: 2 ** 60, timestamp: Date.now() } },
    }],
    ['a time in microseconds', {
      data: [{ number: 1, timestamp: Date.now() * 1000 }], block_header: { raw_data: { number: 1, timestamp: Date.now() * 1000 } },
    }],
  ])('does not take %s for the newest block', async (_what, body) => {
    server.say(dialect === 'trongrid' ? '/wallet/getnowblock' : '/api/block', body);
    expect(await faultOf(open().head())).toMatchObject({ reason: 'malformed' });
  });
});
