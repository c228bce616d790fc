import { Module } from '@nestjs/common';
import { FraudModule } from '../fraud/fraud.module';
import { LedgerModule } from '../ledger/ledger.module';
import { PayoutsModule } from '../payouts/payouts.module';
import { AdminWithdrawalReader } from './admin/admin-withdrawal-reader';
import { AdminWithdrawalsController } from './admin/admin-withdrawals.controller';
import { CompleteWithdrawal } from './admin/complete-withdrawal';
import { DecideWithdrawal } from './admin/decide-withdrawal';
import { FailWithdrawal } from './admin/fail-withdrawal';
import { CancelWithdrawal } from './cancel-withdrawal';
import { ReviewWithdrawal } from './review-withdrawal';
import { RequestWithdrawal } from './request-withdrawal';
import { SimulateWithdrawal } from './simulate-withdrawal';
import { TestWithdrawalsController } from './test-withdrawals.controller';
import { WithdrawalChanges } from './withdrawal-changes';
import { WithdrawalLedgerCheck } from './withdrawal-ledger-check';
import { WithdrawalPayouts } from './withdrawal-payouts';
import { WithdrawalReader } from './withdrawal-reader';
import { WithdrawalsController } from './withdrawals.controller';

/** Money that leaves: asked for by clients, decided on by staff, paid out through payouts. */
@Module({
  imports: [FraudModule, LedgerModule, PayoutsModule],
  controllers: [WithdrawalsController, AdminWithdrawalsController, TestWithdrawalsController],
  providers: [
    RequestWithdrawal, CancelWithdrawal, WithdrawalReader, WithdrawalChanges, WithdrawalPayouts, WithdrawalLedgerCheck, SimulateWithdrawal,
    ReviewWithdrawal,
    AdminWithdrawalReader, DecideWithdrawal, CompleteWithdrawal, FailWithdrawal,
  ],
})
export class WithdrawalsModule {}
