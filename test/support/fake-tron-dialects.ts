import { hexOfAddress } from '../../src/chains/tron/tron-address';
import { type ChainHead, FINAL_CONFIRMATIONS } from '../../src/chains/tron/tron-source';
import type { FakeTransaction } from './fake-tron-chain';

export type TronDialect = 'trongrid' | 'tronscan';

/** The chain as one server knows it. */
export interface ServerView {
  head(): ChainHead;
  get(hash: string): FakeTransaction | undefined;
  /** Oldest first. */
  transactions(): readonly FakeTransaction[];
}

export interface Asked {
  url: URL;
  body: Record<string, unknown>;
}
export interface Answer {
  status: number;
  body: unknown;
}
type Event = FakeTransaction['events'][number];
interface Row {
  transaction: FakeTransaction;
  event: Event;
}

const TRANSFER_TOPIC = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const APPROVAL_TOPIC = '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925';
const TRONSCAN_REACH = 10_000;

const ok = (body: unknown): Answer => ({ status: 200, body });
const word = (value: bigint) => value.toString(16).padStart(64, '0');
const wordOfAddress = (address: string) => hexOfAddress(address).padStart(64, '0');

/** What a server of that dialect answers; undefined where it has no such route. */
export function answerOf(dialect: TronDialect, view: ServerView, asked: Asked): Answer | undefined {
  return dialect === 'trongrid' ? trongrid(view, asked) : tronscan(view, asked);
}

function trongrid(view: ServerView, { url, body }: Asked): Answer | undefined {
  switch (url.pathname) {
    case '/wallet/getnowblock':
      return ok(nodeBlock(view.head()));
    case '/wallet/gettransactioninfobyid':
      return ok(nodeInfo(view.get(String(body.value ?? url.searchParams.get('value')))));
    default: {
      const account = /^\/v1\/accounts\/([^/]+)\/transactions\/trc20$/.exec(url.pathname)?.[1];
      return account === undefined ? undefined : trongridList(view, account, url.searchParams);
    }
  }
}

function tronscan(view: ServerView, { url }: Asked): Answer | undefined {
  const head = view.head();
  switch (url.pathname) {
    case '/api/block':
      return ok({ total: head.number, data: [{ number: head.number, timestamp: head.at.getTime(), confirmed: false }] });
    case '/api/transaction-info':
      return ok(tronscanInfo(view.get(url.searchParams.get('hash') ?? ''), head));
    case '/api/token_trc20/transfers':
      return tronscanList(view, url.searchParams);
    default:
      return undefined;
  }
}

function nodeBlock({ number, at }: ChainHead) {
  const raw = { number, txTrieRoot: word(0n), witness_address: `41${'ab'.repeat(20)}`, version: 34, timestamp: at.getTime() };
  return { blockID: word(BigInt(number)), block_header: { raw_data: raw, witness_signature: 'ab'.repeat(65) }, transactions: [] };
}

function nodeInfo(transaction: FakeTransaction | undefined) {
  if (!transaction) return {};
  const { hash, block, at, result, events } = transaction;
  const common = { id: hash, fee: 345_000, blockNumber: block, blockTimeStamp: at.getTime(), contractResult: [''] };
  if (events.length === 0) return { ...common, receipt: { net_usage: 268 } };
  const receipt = { energy_usage_total: 64_285, net_usage: 345, result };
  const called = { ...common, contract_address: `41${hexOfAddress(events[0]!.contract)}`, receipt };
  return result === 'SUCCESS' ? { ...called, log: events.map(nodeLog) } : { ...called, result: 'FAILED', resMessage: '4f7574' };
}

function nodeLog({ kind, contract, from, to, amountMinor }: Event) {
  const topics = [kind === 'approval' ? APPROVAL_TOPIC : TRANSFER_TOPIC, wordOfAddress(from), wordOfAddress(to)];
  const log = { address: hexOfAddress(contract), topics };
  return kind === 'nft' ? { ...log, topics: [...topics, word(amountMinor)] } : { ...log, data: word(amountMinor) };
}

/** Lists what succeeded, page by page; a page's fingerprint is good only with the filters that it was given for. */
function trongridList(view: ServerView, account: string, query: URLSearchParams): Answer {
  const limit = Math.min(Number(query.get('limit') ?? 20), 200);
  const filters = new URLSearchParams([...query].filter(([name]) => name !== 'fingerprint' && name !== 'limit')).toString();
  const min = Number(query.get('min_timestamp') ?? 0);
  const max = Number(query.get('max_timestamp') ?? Infinity);
  const onlyTo = query.get('only_to') === 'true';
  const rows = rowsOf(view, ({ transaction: { at, result }, event }) =>
    result === 'SUCCESS' && event.kind !== 'nft' && at.getTime() >= min && at.getTime() <= max
      && (event.to === account || (!onlyTo && event.from === account)));
  if (query.get('order_by') !== 'block_timestamp,asc') rows.reverse();

  const [start = '0', given = filters] = (query.get('fingerprint') ?? '').split('|').filter(Boolean);
  if (given !== filters) return { status: 400, body: { success: false, error: 'Invalid fingerprint', statusCode: 400 } };
  const end = Number(start) + limit;
  const data = rows.slice(Number(start), end).map(trongridRow);
  const more = end < rows.length ? { fingerprint: `${end}|${filters}`, links: { next: 'https://api.trongrid.io/' } } : {};
  return ok({ success: true, data, meta: { at: Date.now(), page_size: data.length, ...more } });
}

function trongridRow({ transaction, event }: Row) {
  const { symbol, contract, decimals, from, to, kind, amountMinor } = event;
  return {
    transaction_id: transaction.hash,
    token_info: { symbol, address: contract, decimals, name: symbol },
    block_timestamp: transaction.at.getTime(),
    from,
    to,
    type: kind === 'approval' ? 'Approval' : 'Transfer',
    value: amountMinor.toString(),
  };
}

function tronscanInfo(transaction: FakeTransaction | undefined, head: ChainHead) {
  if (!transaction) return {};
  const { hash, block, at, result, events } = transaction;
  const confirmations = head.number - block + 1;
  // In another order than a node's logs.
  const transfers = events.toReversed().map((event) => ({
    contract_address: event.contract,
    from_address: event.from,
    to_address: event.to,
    ...(event.kind !== 'nft' && { amount_str: event.amountMinor.toString() }),
    decimals: event.decimals,
    symbol: event.symbol,
    type: event.kind === 'approval' ? 'Approval' : 'Transfer',
    tokenType: event.kind === 'nft' ? 'trc721' : 'trc20',
    status: 0,
  }));
  return {
    hash,
    block,
    timestamp: at.getTime(),
    ownerAddress: events[0]?.from,
    toAddress: events[0]?.contract,
    confirmed: confirmations >= FINAL_CONFIRMATIONS,
    confirmations,
    revert: result === 'REVERT',
    contractRet: result,
    // A call that failed is told with the transfers that it was meant to make.
    ...(transfers.length > 0 && { trc20TransferInfo: transfers }),
    tokenTransferInfo: transfers[0] ?? {},
  };
}

/** Lists newest first, at most 50 at once and 10,000 in all; what goes beyond is left out without a word. */
function tronscanList(view: ServerView, query: URLSearchParams): Answer {
  const limit = Math.min(Number(query.get('limit') ?? 10), 50);
  const start = Number(query.get('start') ?? 0);
  const from = Number(query.get('start_timestamp') ?? 0);
  const until = Number(query.get('end_timestamp') ?? Infinity);
  const to = query.get('toAddress');
  const rows = rowsOf(view, ({ transaction: { at }, event }) =>
    event.to === to && at.getTime() >= from && at.getTime() <= until).toReversed();
  const page = rows.slice(start, Math.min(start + limit, TRONSCAN_REACH)).map((row) => tronscanRow(row, view.head()));
  return ok({ total: Math.min(rows.length, TRONSCAN_REACH), rangeTotal: rows.length, contractInfo: {}, token_transfers: page });
}

function tronscanRow({ transaction: { hash, block, at, result }, event }: Row, head: ChainHead) {
  const { contract, from, to, symbol, decimals, kind, amountMinor } = event;
  const tokenType = kind === 'nft' ? 'trc721' : 'trc20';
  return {
    transaction_id: hash,
    status: 0,
    block_ts: at.getTime(),
    block,
    from_address: from,
    to_address: to,
    contract_address: contract,
    ...(kind === 'nft' ? { token_id: amountMinor.toString() } : { quant: amountMinor.toString() }),
    event_type: kind === 'approval' ? 'Approval' : 'Transfer',
    contract_type: tokenType,
    confirmed: head.number - block + 1 >= FINAL_CONFIRMATIONS,
    contractRet: result,
    finalResult: result,
    revert: result === 'REVERT',
    tokenInfo: { tokenId: contract, tokenAbbr: symbol, tokenName: symbol, tokenDecimal: decimals, tokenType },
  };
}

function rowsOf(view: ServerView, isWanted: (row: Row) => boolean): Row[] {
  const rows: Row[] = [];
  for (const transaction of view.transactions()) {
    for (const event of transaction.events) {
      const row = { transaction, event };
      if (isWanted(row)) rows.push(row);
    }
  }
  return rows;
}
