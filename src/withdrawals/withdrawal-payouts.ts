import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Payout, SettledBy } from '../payouts/payout';
import { type PayoutOwner, PayoutOwners } from '../payouts/payout-owners';
import type { Tx } from '../platform/database/unit-of-work';
import { WithdrawalChanges } from './withdrawal-changes';
import { findInBook } from './withdrawal-lookup';

/** What a payout's fate means for the withdrawal that it pays. */
@Injectable()
export class WithdrawalPayouts implements PayoutOwner, OnModuleInit {
  constructor(
    private readonly owners: PayoutOwners,
    private readonly changes: WithdrawalChanges,
  ) {}

  onModuleInit(): void {
    this.owners.register('wd', this);
  }

  async lock(tx: Tx, payout: Payout): Promise<void> {
    await findInBook(tx.query, payout, payout.subjectId, true);
  }

  async started(tx: Tx, payout: Payout): Promise<void> {
    await this.changes.move(tx, await findInBook(tx.query, payout, payout.subjectId, true), 'pay');
  }

  async completed(tx: Tx, payout: Payout, by: SettledBy): Promise<void> {
    const before = await findInBook(tx.query, payout, payout.subjectId, true);
    await this.changes.move(tx, before, 'complete', { settledBy: by, transactionHash: by === 'chain' ? payout.reference!.split(':')[0] : undefined });
  }

  async failed(tx: Tx, payout: Payout, reason: string): Promise<void> {
    await this.changes.move(tx, await findInBook(tx.query, payout, payout.subjectId, true), 'fail', { failure: reason });
  }
}
