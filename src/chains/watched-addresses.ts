import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import type { Book } from '../platform/outbox/outbox';
import type { WatchedAddress } from './chain-arrivals';

interface WatchedRow {
  address: string;
  client_id: string;
  livemode: boolean;
  payment_id: string;
  complete_until: Date;
  next_look_at: Date;
  created_at: Date;
}

/** An address that one instance has taken to look at. */
export interface ClaimedAddress extends WatchedAddress {
  /** Until then nobody else looks at it. */
  leasedUntil: Date;
}

/** A claim moves the due time past a lease: what a killed process leaves behind is looked at by whoever comes next. */
const CLAIM = `
  with due as (
    select chain, address from watched_addresses where next_look_at <= now() order by next_look_at limit $1 for update skip locked
  )
  update watched_addresses w set next_look_at = date_trunc('milliseconds', now() + $2 * interval '1 millisecond') from due
   where w.chain = due.chain and w.address = due.address
  returning w.*`;

/** The addresses that were made for payments, each with its cursor and the time of its next look. */
@Injectable()
export class WatchedAddresses {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Takes addresses that are due, the longest due first; nobody else gets them for as long as the lease lasts. */
  async claim(limit: number, leaseMs: number): Promise<ClaimedAddress[]> {
    const rows = await this.unitOfWork.read<WatchedRow>('claim_watched_addresses', CLAIM, [limit, leaseMs]);
    return rows.map((row) => ({ ...watchedFromRow(row), leasedUntil: row.next_look_at }));
  }

  /**
   * Ends a look: the cursor moves on, never back and never past now, whatever the chain's time is said to be; without a pause nobody
   * looks again. An address that was made due while it was being looked at stays due.
   */
  async finish({ address, leasedUntil }: ClaimedAddress, completeUntil: Date | undefined, pauseMs: number | undefined): Promise<void> {
    await this.unitOfWork.once({
      name: 'finish_watched_address',
      text: `update watched_addresses
                set complete_until = greatest(complete_until, case when $2::timestamptz > now() then now() else $2::timestamptz end),
                    next_look_at = case when next_look_at = $3 then now() + $4 * interval '1 millisecond' else next_look_at end
              where chain = 'tron' and address = $1`,
      values: [address, completeUntil ?? null, leasedUntil, pauseMs ?? null],
    });
  }

  /** The address of a payment. */
  async ofPayment({ clientId, livemode }: Book, paymentId: string): Promise<WatchedAddress | undefined> {
    const rows = await this.unitOfWork.read<WatchedRow>(
      'get_watched_address', `select * from watched_addresses where client_id = $1 and livemode = $2 and payment_id = $3`,
      [clientId, livemode, paymentId],
    );
    return rows.map(watchedFromRow)[0];
  }

  /** Which of these addresses are ours. */
  async among(addresses: readonly string[]): Promise<string[]> {
    const rows = await this.unitOfWork.read<WatchedRow>(
      'watched_among', `select address from watched_addresses where chain = 'tron' and address = any ($1)`, [addresses],
    );
    return rows.map(({ address }) => address);
  }

  /** Makes an address due now, also one that nobody looks at any more; named by itself or by its payment. Answers whether there is one. */
  async makeDue({ address, paymentId }: { address?: string; paymentId?: string }): Promise<boolean> {
    const rows = await this.unitOfWork.once({
      name: 'make_watched_address_due',
      text: `update watched_addresses set next_look_at = now()
              where chain = 'tron' and address in (
                select $1 union all
                select w.address from provider_references r join watched_addresses w using (client_id, livemode, payment_id)
                 where r.provider = 'cpgateway' and r.reference = $2)
              returning address`,
      values: [address ?? null, paymentId ?? null],
    });
    return rows.length > 0;
  }
}

function watchedFromRow(row: WatchedRow): WatchedAddress {
  const { address, client_id: clientId, livemode, payment_id: paymentId, complete_until: completeUntil, created_at: createdAt } = row;
  return { address, clientId, livemode, paymentId, completeUntil, createdAt };
}
