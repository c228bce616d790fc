import { FakeTron } from '../../../test/support/fake-tron';
import { someAddress } from '../../../test/support/fake-tron-chain';
import { hexOfAddress, USDT_CONTRACT } from './tron-address';
import type { ListedTransfer } from './tron-source';
import { TronGridSource } from './trongrid-source';

const HASH = 'ab'.repeat(32);
const INFO = '/wallet/gettransactioninfobyid';
const TRANSFER = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

const word = (text: string) => text.padStart(64, '0');

describe('TronGrid', () => {
  let server: FakeTron;
  let source: TronGridSource;
  const [from, to] = [someAddress(), someAddress()];
  const list = `/v1/accounts/${to}/transactions/trc20`;

  beforeEach(async () => {
    server = await FakeTron.start({ dialect: 'trongrid' });
    source = new TronGridSource({ baseUrl: server.url });
  });
  afterEach(() => server.stop());

  async function listed(): Promise<ListedTransfer[]> {
    const all: ListedTransfer[] = [];
    for await (const page of source.transfersTo(to, new Date(0))) all.push(...page);
    return all;
  }

  const log = (more: object = {}) => ({
    address: hexOfAddress(USDT_CONTRACT),
    topics: [TRANSFER, word(hexOfAddress(from)), word(hexOfAddress(to))],
    data: word('b71b00'),
    ...more,
  });
  const info = (more: object = {}) => ({
    id: HASH, blockNumber: 69_999_990, blockTimeStamp: 1_700_000_000_000, receipt: { result: 'SUCCESS' }, log: [log()], ...more,
  });
  const row = (more: object = {}) => ({
    transaction_id: HASH,
    token_info: { symbol: 'USDT', address: USDT_CONTRACT, decimals: 6 },
    block_timestamp: 1_700_000_000_000,
    from,
    to,
    type: 'Transfer',
    value: '12000000',
    ...more,
  });
  const page = (rows: object[], meta: object = {}) => ({ success: true, data: rows, meta: { at: 1_700_000_000_000, ...meta } });

  it('reads the documented answers', async () => {
    server.say(INFO, info());
    server.say(list, page([row()]));
    const transfer = { contract: USDT_CONTRACT, from, to, amountMinor: 12_000_000n };
    const blockTime = new Date(1_700_000_000_000);
    expect(await source.transaction(HASH)).toEqual({
      hash: HASH, blockNumber: 69_999_990, blockTime, confirmations: 11, succeeded: true, transfers: [transfer],
    });
    expect(await listed()).toEqual([{ ...transfer, hash: HASH, blockTime, symbol: 'USDT' }]);
    expect(server.asked.at(-1)).toBe(`${list}?limit=200&only_to=true&order_by=block_timestamp%2Casc&min_timestamp=0`);
  });

  it.each([
    ['the receipt has no result although something was called', { receipt: {} }, 'FAILED'],
    ['the receipt is good and the transaction is not', { result: 'FAILED' }, 'SUCCESS'],
    ['the receipt says why', { receipt: { result: 'OUT_OF_TIME' }, result: 'FAILED', log: undefined }, 'OUT_OF_TIME'],
  ])('takes a call for failed when %s', async (_what, more, failure) => {
    server.say(INFO, info(more));
    expect(await source.transaction(HASH)).toMatchObject({ succeeded: false, failure, transfers: [] });
  });

  it.each([
    ['another event', { topics: ['8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925', word('1'), word('2')] }],
    ['a fourth topic', { topics: [...log().topics, word('7')] }],
    ['data of two words', { data: word('1') + word('2') }],
    ['no topics', { topics: undefined }],
    ['no amount', { data: word('0') }],
  ])('passes over a log with %s', async (_what, more) => {
    server.say(INFO, info({ log: [log(more), log({ data: word('ff') })] }));
    expect((await source.transaction(HASH))!.transfers.map(({ amountMinor }) => amountMinor)).toEqual([255n]);
  });

  it.each([
    ['another transaction', info({ id: 'cd'.repeat(32) })],
    ['one without a block', info({ blockNumber: undefined })],
    ['a log whose address has no length', info({ log: [log({ address: 'a614' })] })],
    ['a text', 'FAILED'],
  ])('refuses %s', async (_what, body) => {
    server.say(INFO, body);
    await expect(source.transaction(HASH)).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('counts no confirmations when the node that tells the head is behind', async () => {
    server.say(INFO, info({ blockNumber: 70_000_009 }));
    expect(await source.transaction(HASH)).toMatchObject({ confirmations: 0 });
  });

  it('passes over rows that cannot be USDT to the address, whatever they hold', async () => {
    server.say(list, page([
      row({ token_info: {} }), row({ token_info: null }), row({ token_info: { address: 'none' } }), row({ to: from }),
      row({ type: 'Approval' }), row({ value: '0' }), row({ value: '5' }),
    ]));
    expect((await listed()).map(({ amountMinor }) => amountMinor)).toEqual([5n]);
  });

  it.each([
    ['an amount as a number', page([row({ value: 12_000_000 })])],
    ['an amount with a sign', page([row({ value: '-1' })])],
    ['an amount in hex', page([row({ value: '0x10' })])],
    ['a time in seconds as text', page([row({ block_timestamp: '1700000000' })])],
    ['an address with a wrong checksum', page([row({ from: from.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')) })])],
    ['a refusal', { ...page([]), success: false }],
    ['no rows', { success: true, meta: {} }],
  ])('refuses a list with %s', async (_what, body) => {
    server.say(list, body);
    await expect(listed()).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('takes an error in a list for a refusal', async () => {
    server.say(list, { success: false, error: 'The key exceeds the frequency limit(15)', statusCode: 403 });
    await expect(listed()).rejects.toMatchObject({ reason: 'throttled' });
  });

  it('ends a list that goes round in circles', async () => {
    server.say(list, page([row()], { fingerprint: 'again' }));
    await expect(listed()).rejects.toMatchObject({ reason: 'malformed', message: expect.stringContaining('does not come to an end') });
    expect(server.requests.get(list)).toBe(2);
  });
});
