import { Module } from '@nestjs/common';
import { ChainPaymentsModule } from '../chain/chain-payments.module';
import { AdminPaymentReader } from './admin-payment-reader';
import { AdminPaymentsController } from './admin-payments.controller';
import { EndPayment } from './end-payment';
import { ForceSuccess } from './force-success';
import { VerifyPayment } from './verify-payment';

/** What staff see of payments and may do about them. */
@Module({
  imports: [ChainPaymentsModule],
  controllers: [AdminPaymentsController],
  providers: [AdminPaymentReader, EndPayment, ForceSuccess, VerifyPayment],
})
export class AdminPaymentsModule {}
