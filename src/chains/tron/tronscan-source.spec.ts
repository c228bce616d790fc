import { FakeTron } from '../../../test/support/fake-tron';
import { someAddress } from '../../../test/support/fake-tron-chain';
import { USDT_CONTRACT } from './tron-address';
import type { ListedTransfer } from './tron-source';
import { TronScanSource } from './tronscan-source';

const HASH = 'ab'.repeat(32);
const INFO = '/api/transaction-info';
const LIST = '/api/token_trc20/transfers';
const START_MS = Date.UTC(2026, 0, 1);

describe('TronScan', () => {
  let server: FakeTron;
  let source: TronScanSource;
  const [from, to] = [someAddress(), someAddress()];

  beforeEach(async () => {
    server = await FakeTron.start({ dialect: 'tronscan' });
    source = new TronScanSource({ baseUrl: server.url });
  });
  afterEach(() => server.stop());

  async function listed(): Promise<ListedTransfer[]> {
    const all: ListedTransfer[] = [];
    for await (const page of source.transfersTo(to, new Date(START_MS))) all.push(...page);
    return all;
  }

  const transfer = (more: object = {}) => ({
    contract_address: USDT_CONTRACT, from_address: from, to_address: to, amount_str: '12000000', decimals: 6, symbol: 'USDT',
    type: 'Transfer', tokenType: 'trc20', status: 0, ...more,
  });
  const info = (more: object = {}) => ({
    hash: HASH, block: 69_999_990, timestamp: 1_700_000_000_000, ownerAddress: from, toAddress: USDT_CONTRACT, confirmed: true,
    confirmations: 25, revert: false, contractRet: 'SUCCESS', trc20TransferInfo: [transfer()], tokenTransferInfo: transfer(), ...more,
  });
  const row = (more: object = {}) => ({
    transaction_id: HASH, status: 0, block_ts: 1_700_000_000_000, from_address: from, to_address: to, contract_address: USDT_CONTRACT,
    quant: '12000000', confirmed: true, contractRet: 'SUCCESS', finalResult: 'SUCCESS', revert: false, contract_type: 'trc20',
    event_type: 'Transfer', tokenInfo: { tokenAbbr: 'USDT', tokenDecimal: 6 }, ...more,
  });
  const page = (rows: object[], rangeTotal = rows.length) => ({ total: rangeTotal, rangeTotal, token_transfers: rows });
  const amounts = (transfers: { amountMinor: bigint }[]) => transfers.map(({ amountMinor }) => amountMinor);

  it('reads the documented answers', async () => {
    server.say(INFO, info());
    server.say(LIST, page([row()]));
    const told = { contract: USDT_CONTRACT, from, to, amountMinor: 12_000_000n };
    const blockTime = new Date(1_700_000_000_000);
    expect(await source.transaction(HASH)).toEqual({
      hash: HASH, blockNumber: 69_999_990, blockTime, confirmations: 25, succeeded: true, transfers: [told],
    });
    expect(await listed()).toEqual([{ ...told, hash: HASH, blockTime, symbol: 'USDT' }]);
    expect(server.asked.at(-1)).toBe(`${LIST}?start=0&limit=50&toAddress=${to}&start_timestamp=${START_MS}`);
  });

  it.each([
    ['only the single transfer', { trc20TransferInfo: undefined }, [12_000_000n]],
    ['an empty list and the single transfer', { trc20TransferInfo: [] }, [12_000_000n]],
    ['only the list', { tokenTransferInfo: undefined }, [12_000_000n]],
    ['the list and an empty object', { tokenTransferInfo: {} }, [12_000_000n]],
    ['none of both', { trc20TransferInfo: null, tokenTransferInfo: {} }, []],
    ['other kinds of tokens with other fields', { trc20TransferInfo: [{ tokenType: 'trc721', token_id: '7' }, transfer()] }, [12_000_000n]],
    ['a single transfer of another kind', { trc20TransferInfo: undefined, tokenTransferInfo: { tokenType: 'trc10' } }, []],
    ['an approval and a transfer of nothing', { trc20TransferInfo: [transfer({ type: 'Approval' }), transfer({ amount_str: '0' })] }, []],
  ])('reads a transaction with %s', async (_what, more, expected) => {
    server.say(INFO, info(more));
    expect(amounts((await source.transaction(HASH))!.transfers)).toEqual(expected);
  });

  it('does not call final what TronScan has not confirmed', async () => {
    server.say(INFO, info({ confirmed: false }));
    expect(await source.transaction(HASH)).toMatchObject({ confirmations: 18 });
  });

  it.each([
    [{ contractRet: 'OUT_OF_ENERGY' }, 'OUT_OF_ENERGY'],
    [{ revert: true }, 'REVERT'],
  ])('takes a call with %p for failed', async (more, failure) => {
    server.say(INFO, info(more));
    expect(await source.transaction(HASH)).toMatchObject({ succeeded: false, failure, transfers: [] });
  });

  it.each([
    ['another transaction', info({ hash: 'cd'.repeat(32) })],
    ['one without its result', info({ contractRet: undefined })],
    ['an amount as a number', info({ trc20TransferInfo: [transfer({ amount_str: 12_000_000 })] })],
    ['a transfer without its kind', info({ trc20TransferInfo: [transfer({ tokenType: undefined })] })],
    ['a text', 'SUCCESS'],
  ])('refuses %s', async (_what, body) => {
    server.say(INFO, body);
    await expect(source.transaction(HASH)).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('passes over rows that cannot be a token for the address, whatever they hold', async () => {
    server.say(LIST, page([
      row({ contract_type: 'trc721', quant: undefined }), row({ to_address: from }), row({ event_type: 'Approval' }), row({ quant: '0' }),
      row({ revert: true }), row({ contractRet: 'REVERT' }), row({ quant: '5', contract_type: undefined, event_type: undefined }),
    ]));
    expect(amounts(await listed())).toEqual([5n]);
  });

  it.each([
    ['an amount with decimals', page([row({ quant: '12.0' })])],
    ['a sender that is no address', page([row({ from_address: 'me' })])],
    ['no total', { token_transfers: [] }],
  ])('refuses a list with %s', async (_what, body) => {
    server.say(LIST, body);
    await expect(listed()).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('goes on over pages that are not full, up to the number that was told', async () => {
    server.say(LIST, page([row()], 120));
    expect(await listed()).toHaveLength(3);
  });

  it('lists more transfers than TronScan lets itself be asked for', async () => {
    const count = 10_051;
    for (let at = 0; at < count; at += 1) server.chain.transfer({ to, amountMinor: BigInt(at + 1), at: new Date(START_MS + at * 3_000) });
    const rows = await listed();
    expect(new Set(amounts(rows)).size).toBe(count);
    expect(amounts(rows)).toEqual(amounts(rows).toSorted((a, b) => (a < b ? -1 : Number(a > b))));
    // What lies after the newest of these has been asked for too.
    const until = server.asked.map((path) => Number(new URL(path, server.url).searchParams.get('end_timestamp')));
    expect(Math.max(...until)).toBeGreaterThanOrEqual(START_MS + (count - 1) * 3_000);
  });

  it('refuses a list that says of every moment that it is too long', async () => {
    server.say(LIST, page([row()], 10_001));
    await expect(listed()).rejects.toMatchObject({ reason: 'malformed', message: expect.stringContaining('a single block') });
    expect(server.requests.get(LIST)).toBeLessThan(50);
  });

  it('refuses a list that shrinks while it is read', async () => {
    for (let at = 0; at < 60; at += 1) server.chain.transfer({ to, amountMinor: 1n });
    const hash = server.chain.transfer({ to, amountMinor: 1n });
    const reading = listed();
    await server.onceAsked(LIST);
    server.chain.reorganise(hash, 'drop');
    await expect(reading).rejects.toMatchObject({ reason: 'malformed', message: expect.stringContaining('shrank') });
  });
});
