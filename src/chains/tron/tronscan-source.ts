import { z } from 'zod';
import { SourceClient, type SourceOptions } from './source-client';
import { addressSchema, amountSchema, blockNumberSchema, hashSchema, symbolSchema, timeSchema } from './source-schemas';
import {
  type ChainHead, type ChainTransaction, FINAL_CONFIRMATIONS, type ListedTransfer, type TokenTransfer, type TronSource,
} from './tron-source';

/** TronScan gives at most 50 rows at once, and none behind the 10,000th of a list; it says nothing when asked for more. */
const PAGE = 50;
const REACH = 10_000;
/** 200,000 transfers to one address: whoever lists more does not come to an end. */
const MAX_PAGES = 4_000;
const BLOCK_MS = 3_000;

const blocksSchema = z.object({ data: z.array(z.object({ number: blockNumberSchema, timestamp: timeSchema })).min(1) });

/** Tokens of other kinds (TRC-721 and others) have fields of their own, and whoever sends one must not make the answer unreadable. */
const otherKind = z.string().refine((kind) => kind !== 'trc20');
const nothing = () => undefined;

const transferSchema = z.object({
  contract_address: addressSchema,
  from_address: addressSchema,
  to_address: addressSchema,
  amount_str: amountSchema,
  type: z.string(),
  tokenType: z.literal('trc20'),
});
const otherTransferSchema = z.object({ tokenType: otherKind }).transform(nothing);

const infoSchema = z.object({
  hash: hashSchema,
  block: blockNumberSchema,
  timestamp: timeSchema,
  confirmed: z.boolean(),
  confirmations: z.int().nonnegative(),
  revert: z.boolean(),
  contractRet: z.string().max(64),
  trc20TransferInfo: z.array(z.union([otherTransferSchema, transferSchema])).nullish(),
  // Some answers have one transfer here instead of the list, or an object without anything in it.
  tokenTransferInfo: z.union([z.strictObject({}).transform(nothing), otherTransferSchema, transferSchema]).nullish(),
});
/** What is not on the chain (yet) is an answer without a hash. */
const infoOrNothingSchema = z.union([infoSchema, z.object({ hash: z.undefined().optional() }).transform(nothing)]);
type Info = z.output<typeof infoSchema>;

const rowSchema = z.object({
  transaction_id: hashSchema,
  block_ts: timeSchema,
  from_address: addressSchema,
  to_address: addressSchema,
  contract_address: addressSchema,
  quant: amountSchema,
  event_type: z.string().nullish(),
  contractRet: z.string().nullish(),
  revert: z.union([z.boolean(), z.number()]).nullish(),
  tokenInfo: z.object({ tokenAbbr: symbolSchema }).nullish(),
});
const otherRowSchema = z.object({ contract_type: otherKind }).transform(nothing);
const pageSchema = z.object({
  rangeTotal: z.int().nonnegative(),
  token_transfers: z.array(z.union([otherRowSchema, rowSchema])).max(PAGE),
});
type Row = z.output<typeof rowSchema>;

/** A span of time whose transfers are to be listed, both ends included. Without an end it goes on to the newest block. */
interface Span {
  address: string;
  fromMs: number;
  toMs?: number;
}

/** The chain by TronScan (https://docs.tronscan.org), whose index is made apart from TronGrid's. */
export class TronScanSource implements TronSource {
  private readonly client: SourceClient;

  constructor(options: SourceOptions) {
    this.client = new SourceClient(options);
  }

  get name(): string {
    return this.client.name;
  }

  async head(signal?: AbortSignal): Promise<ChainHead> {
    const { data: [newest] } = await this.client.get('/api/block', { sort: '-number', limit: 1, start: 0 }, blocksSchema, signal);
    return { number: newest!.number, at: newest!.timestamp };
  }

  async transaction(hash: string, signal?: AbortSignal): Promise<ChainTransaction | undefined> {
    const wanted = hash.toLowerCase();
    const info = await this.client.get('/api/transaction-info', { hash: wanted }, infoOrNothingSchema, signal);
    if (!info) return undefined;
    if (info.hash !== wanted) throw this.client.malformed('answered another transaction than was asked for');
    const succeeded = info.contractRet === 'SUCCESS' && !info.revert;
    return {
      hash: info.hash,
      blockNumber: info.block,
      blockTime: info.timestamp,
      // TronScan says separately that a block is final; a count alone does not make it so.
      confirmations: info.confirmed ? info.confirmations : Math.min(info.confirmations, FINAL_CONFIRMATIONS - 1),
      succeeded,
      failure: succeeded ? undefined : failureOf(info),
      transfers: succeeded ? transfersIn(info) : [],
    };
  }

  async *transfersTo(address: string, from: Date, signal?: AbortSignal): AsyncIterable<ListedTransfer[]> {
    const budget = { pages: MAX_PAGES };
    yield* this.list({ address, fromMs: from.getTime() }, budget, signal);
  }

  /**
   * Lists a span whole, oldest first. TronScan's order is newest first and not promised, so a span is sorted when it is complete;
   * one with more rows than can be reached is cut in two by time, the older half first.
   */
  private async *list(span: Span, budget: { pages: number }, signal?: AbortSignal): AsyncIterable<ListedTransfer[]> {
    const first = await this.page(span, 0, budget, signal);
    if (first.rangeTotal > REACH) {
      const toMs = span.toMs ?? (await this.head(signal)).at.getTime();
      if (toMs - span.fromMs < BLOCK_MS) throw this.client.malformed('a single block has more transfers than can be listed');
      const middleMs = Math.floor((span.fromMs + toMs) / 2);
      // Both halves include the middle: a row that is listed twice does no harm, one that is missed does.
      yield* this.list({ ...span, toMs: middleMs }, budget, signal);
      yield* this.list({ ...span, fromMs: middleMs }, budget, signal);
      return;
    }
    const rows = [...first.token_transfers];
    let total = first.rangeTotal;
    // A row that arrives meanwhile moves the others back, which the newest total tells; short pages in between end nothing.
    for (let start = PAGE; start < total; start += PAGE) {
      const page = await this.page(span, start, budget, signal);
      if (page.rangeTotal < total) throw this.client.malformed('the list of transfers shrank while it was read');
      total = page.rangeTotal;
      rows.push(...page.token_transfers);
    }
    const listed = rows.flatMap((row) => (row?.to_address === span.address ? listedIn(row) : []));
    yield listed.sort((a, b) => a.blockTime.getTime() - b.blockTime.getTime());
  }

  /** @see https://docs.tronscan.org/en/api/transactions-and-transfers/token-trc20-transfers */
  private async page({ address, fromMs, toMs }: Span, start: number, budget: { pages: number }, signal?: AbortSignal) {
    budget.pages -= 1;
    if (budget.pages < 0) throw this.client.malformed('the list of transfers does not come to an end');
    const query = { start, limit: PAGE, toAddress: address, start_timestamp: fromMs, end_timestamp: toMs };
    return this.client.get('/api/token_trc20/transfers', query, pageSchema, signal);
  }
}

/** A call can be told as good and its block as taken back. */
function failureOf({ contractRet }: Info): string {
  return contractRet === 'SUCCESS' ? 'REVERT' : contractRet;
}

function transfersIn({ trc20TransferInfo: list, tokenTransferInfo: single }: Info): TokenTransfer[] {
  return (list?.length ? list : [single]).flatMap((row) => {
    if (row?.type !== 'Transfer' || row.amount_str === 0n) return [];
    return [{ contract: row.contract_address, from: row.from_address, to: row.to_address, amountMinor: row.amount_str }];
  });
}

function listedIn(row: Row): ListedTransfer[] {
  const failed = Boolean(row.revert) || (row.contractRet ?? 'SUCCESS') !== 'SUCCESS';
  if ((row.event_type ?? 'Transfer') !== 'Transfer' || failed || row.quant === 0n) return [];
  return [{
    hash: row.transaction_id,
    blockTime: row.block_ts,
    contract: row.contract_address,
    symbol: row.tokenInfo?.tokenAbbr ?? '',
    from: row.from_address,
    to: row.to_address,
    amountMinor: row.quant,
  }];
}
