import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import type { ArrivalState, ChainArrival } from './chain-arrivals';

interface ArrivalRow {
  hash: string;
  address: string;
  contract: string;
  state: ArrivalState;
  amount_minor: string;
  from_address: string;
  block_time: Date;
  confirmations: string;
  failure: string | null;
}

/** What is final or reverted stays so, whatever a slower look still says. */
const SAVE = `
  insert into chain_transfers as t
         (chain, hash, address, contract, state, amount_minor, from_address, block_time, confirmations, failure)
  select 'tron', hash, address, contract, state, amount_minor, from_address, block_time, confirmations, failure
    from jsonb_to_recordset($1) as x (hash text, address text, contract text, state text, amount_minor numeric, from_address text,
                                      block_time timestamptz, confirmations bigint, failure text)
   order by hash, address, contract
  on conflict (chain, hash, address, contract) do update
     set state = excluded.state, amount_minor = excluded.amount_minor, from_address = excluded.from_address,
         block_time = excluded.block_time, confirmations = excluded.confirmations, failure = excluded.failure, updated_at = now()
   where t.state in ('seen', 'gone')
     and (t.state, t.confirmations, t.block_time) is distinct from (excluded.state, excluded.confirmations, excluded.block_time)`;

/** What was seen to arrive, by transaction, address and token; never by block, which can change. */
@Injectable()
export class ChainTransfers {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** What arrived at an address and is not settled, and what is settled and from blocks since a time, the oldest first. */
  async at(address: string, since: Date): Promise<ChainArrival[]> {
    const rows = await this.unitOfWork.read<ArrivalRow>(
      'chain_transfers_at',
      `select * from chain_transfers
        where chain = 'tron' and address = $1 and (state in ('seen', 'gone') or block_time >= $2)
        order by block_time, hash`,
      [address, since],
    );
    return rows.map(arrivalFromRow);
  }

  /** What one transaction brought to an address. */
  async of(hash: string, address: string): Promise<ChainArrival[]> {
    const rows = await this.unitOfWork.read<ArrivalRow>(
      'chain_transfers_of', `select * from chain_transfers where chain = 'tron' and hash = $1 and address = $2`, [hash, address],
    );
    return rows.map(arrivalFromRow);
  }

  /** Writes down how they stand. */
  async save(arrivals: readonly ChainArrival[]): Promise<void> {
    if (arrivals.length === 0) return;
    await this.unitOfWork.once({
      name: 'save_chain_transfers',
      text: SAVE,
      values: [JSON.stringify(arrivals.map(rowOf))],
    });
  }
}

function rowOf({ amountMinor, from, blockTime, ...same }: ChainArrival): object {
  return { ...same, amount_minor: amountMinor.toString(), from_address: from, block_time: blockTime };
}

function arrivalFromRow(row: ArrivalRow): ChainArrival {
  return {
    hash: row.hash,
    address: row.address,
    contract: row.contract,
    from: row.from_address,
    amountMinor: BigInt(row.amount_minor),
    blockTime: row.block_time,
    confirmations: Number(row.confirmations),
    state: row.state,
    ...(row.failure !== null && { failure: row.failure }),
  };
}
