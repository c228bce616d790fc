import { z } from 'zod';
import { SourceClient, type SourceOptions } from './source-client';
import { addressSchema, amountSchema, blockNumberSchema, hashSchema, symbolSchema, timeSchema } from './source-schemas';
import { addressFromHex, isTronAddress } from './tron-address';
import type { ChainHead, ChainTransaction, ListedTransfer, TokenTransfer, TronSource } from './tron-source';

/** The most that TronGrid gives at once. */
const PAGE = 200;
/** 200,000 transfers to one address: whoever lists more does not come to an end. */
const MAX_PAGES = 1_000;

/** keccak256 of `Transfer(address,address,uint256)`. */
const TRANSFER_TOPIC = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

const headSchema = z.object({
  block_header: z.object({ raw_data: z.object({ number: blockNumberSchema, timestamp: timeSchema }) }),
});

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`)).toLowerCase();

const logSchema = z.object({
  address: z.union([hex(20), hex(21)]),
  topics: z.array(hex(32)).default([]),
  data: z.string().regex(/^[0-9a-fA-F]*$/).default(''),
});
type Log = z.output<typeof logSchema>;

const infoSchema = z.object({
  id: hashSchema,
  blockNumber: blockNumberSchema,
  blockTimeStamp: timeSchema,
  receipt: z.object({ result: z.string().max(64).optional() }).default({}),
  result: z.string().max(64).optional(),
  log: z.array(logSchema).default([]),
});
/** What is not on the chain (yet) is an object without anything in it. */
const infoOrNothingSchema = z.union([z.strictObject({}).transform(() => undefined), infoSchema]);

const rowSchema = z.object({
  transaction_id: hashSchema,
  // Tokens that TronGrid knows nothing about come without their contract.
  token_info: z.object({ symbol: symbolSchema, address: z.string().nullish() }).nullish(),
  block_timestamp: timeSchema,
  from: addressSchema,
  to: addressSchema,
  type: z.string(),
  value: amountSchema,
});
const pageSchema = z.object({
  success: z.literal(true),
  data: z.array(rowSchema).max(PAGE),
  meta: z.object({ fingerprint: z.string().min(1).max(2_000).optional() }),
});

/**
 * The chain by TronGrid (https://developers.tron.network): transactions and the head from a full node's own interface, lists
 * from TronGrid's index. Any full node with that index can take its place.
 */
export class TronGridSource implements TronSource {
  private readonly client: SourceClient;

  constructor(options: SourceOptions) {
    this.client = new SourceClient(options);
  }

  get name(): string {
    return this.client.name;
  }

  async head(signal?: AbortSignal): Promise<ChainHead> {
    const { block_header: { raw_data: block } } = await this.client.post('/wallet/getnowblock', {}, headSchema, signal);
    return { number: block.number, at: block.timestamp };
  }

  async transaction(hash: string, signal?: AbortSignal): Promise<ChainTransaction | undefined> {
    // The head is asked for first: one that is older than the transaction's block counts too few blocks, never too many.
    const head = await this.head(signal);
    const wanted = hash.toLowerCase();
    const info = await this.client.post('/wallet/gettransactioninfobyid', { value: wanted }, infoOrNothingSchema, signal);
    if (!info) return undefined;
    if (info.id !== wanted) throw this.client.malformed('answered another transaction than was asked for');
    const { result } = info.receipt;
    // What calls no contract has no result in its receipt, and moves no tokens either.
    const succeeded = info.result !== 'FAILED' && (result === 'SUCCESS' || (result === undefined && info.log.length === 0));
    return {
      hash: info.id,
      blockNumber: info.blockNumber,
      blockTime: info.blockTimeStamp,
      confirmations: Math.max(0, head.number - info.blockNumber + 1),
      succeeded,
      failure: succeeded ? undefined : (result ?? info.result ?? 'FAILED'),
      transfers: succeeded ? info.log.flatMap(transferIn) : [],
    };
  }

  async *transfersTo(address: string, from: Date, signal?: AbortSignal): AsyncIterable<ListedTransfer[]> {
    const path = `/v1/accounts/${encodeURIComponent(address)}/transactions/trc20`;
    // No contract is named: tokens that only call themselves USDT are to be seen as well.
    const filters = { limit: PAGE, only_to: 'true', order_by: 'block_timestamp,asc', min_timestamp: from.getTime() };
    let fingerprint: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const page = await this.client.get(path, { ...filters, fingerprint }, pageSchema, signal);
      yield page.data.flatMap((row) => (row.to === address ? listedIn(row) : []));
      if (page.meta.fingerprint === undefined) return;
      if (page.meta.fingerprint === fingerprint) break;
      fingerprint = page.meta.fingerprint;
    }
    throw this.client.malformed('the list of transfers does not come to an end');
  }
}

/** The token transfer that a log tells. A TRC-721 transfer has a fourth topic, the token's number, and no amount. */
function transferIn({ address, topics, data }: Log): TokenTransfer[] {
  if (topics[0] !== TRANSFER_TOPIC || topics.length !== 3 || data.length !== 64) return [];
  const amountMinor = BigInt(`0x${data}`);
  if (amountMinor === 0n) return [];
  const addressIn = (topic: string) => addressFromHex(topic.slice(-40));
  return [{ contract: addressFromHex(address), from: addressIn(topics[1]!), to: addressIn(topics[2]!), amountMinor }];
}

function listedIn({ token_info: token, ...row }: z.output<typeof rowSchema>): ListedTransfer[] {
  if (row.type !== 'Transfer' || row.value === 0n || !token?.address || !isTronAddress(token.address)) return [];
  return [{
    hash: row.transaction_id,
    blockTime: row.block_timestamp,
    contract: token.address,
    symbol: token.symbol,
    from: row.from,
    to: row.to,
    amountMinor: row.value,
  }];
}
