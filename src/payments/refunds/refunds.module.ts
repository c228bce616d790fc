import { Module } from '@nestjs/common';
import { FraudModule } from '../../fraud/fraud.module';
import { LedgerModule } from '../../ledger/ledger.module';
import { PayoutsModule } from '../../payouts/payouts.module';
import { AdminRefundReader } from './admin/admin-refund-reader';
import { AdminRefundsController } from './admin/admin-refunds.controller';
import { DecideRefund } from './admin/decide-refund';
import { PayRefund } from './admin/pay-refund';
import { CreateRefund } from './create-refund';
import { OrderRefund } from './paying/order-refund';
import { RefundPayouts } from './paying/refund-payouts';
import { RefundPorts } from './paying/refund-ports';
import { RefundChanges } from './refund-changes';
import { RefundDeposits } from './refund-deposits';
import { RefundLedgerCheck } from './refund-ledger-check';
import { RefundReader } from './refund-reader';
import { RefundsController } from './refunds.controller';
import { SimulateRefund } from './simulate-refund';
import { TestRefundsController } from './test-refunds.controller';

/** Money that goes back: asked for by merchants, decided on by staff where it is much, and paid like any payout. */
@Module({
  imports: [FraudModule, LedgerModule, PayoutsModule],
  controllers: [RefundsController, AdminRefundsController, TestRefundsController],
  providers: [
    CreateRefund, RefundReader, RefundChanges, RefundDeposits, RefundLedgerCheck, SimulateRefund,
    RefundPorts, OrderRefund, RefundPayouts,
    AdminRefundReader, DecideRefund, PayRefund,
  ],
  exports: [RefundDeposits, RefundChanges, RefundPorts],
})
export class RefundsModule {}
