import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Payout } from '../../../payouts/payout';
import { type PayoutOwner, PayoutOwners } from '../../../payouts/payout-owners';
import type { Tx } from '../../../platform/database/unit-of-work';
import { RefundChanges } from '../refund-changes';
import { lockRefund } from '../refund-lookup';

/** Lets refunds hear how their payouts ended. */
@Injectable()
export class RefundPayouts implements PayoutOwner, OnModuleInit {
  constructor(
    private readonly owners: PayoutOwners,
    private readonly changes: RefundChanges,
  ) {}

  onModuleInit(): void {
    this.owners.register('ref', this);
  }

  async lock(tx: Tx, { subjectId }: Payout): Promise<void> {
    await lockRefund(tx.query, subjectId);
  }

  /** A refund is `pending` until it is paid, sent or not. */
  async started(): Promise<void> {}

  async completed(tx: Tx, { subjectId, reference }: Payout): Promise<void> {
    // A reference is `<hash>:<address>`.
    await this.changes.move(tx, await lockRefund(tx.query, subjectId), 'succeed', { transactionHash: reference?.split(':')[0] });
  }

  async failed(tx: Tx, { subjectId }: Payout, reason: string): Promise<void> {
    await this.changes.move(tx, await lockRefund(tx.query, subjectId), 'fail', { failure: reason });
  }
}
