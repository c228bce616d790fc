import { Module } from '@nestjs/common';
import { LedgerModule } from '../../ledger/ledger.module';
import { RefundsModule } from '../refunds/refunds.module';
import { AdminUnmatchedController } from './admin-unmatched.controller';
import { AssignDeposit } from './assign-deposit';
import { RefundDeposit } from './refund-deposit';
import { ResolveDeposit } from './resolve-deposit';
import { UnmatchedLedgerCheck } from './unmatched-ledger-check';
import { UnmatchedReader } from './unmatched-reader';

/** Money that no payment took, and what staff do with it. */
@Module({
  imports: [LedgerModule, RefundsModule],
  controllers: [AdminUnmatchedController],
  providers: [UnmatchedReader, ResolveDeposit, AssignDeposit, RefundDeposit, UnmatchedLedgerCheck],
})
export class UnmatchedModule {}
