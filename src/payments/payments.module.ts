import { Module } from '@nestjs/common';
import { CancelPayment } from './cancel-payment';
import { ConfirmPayment } from './confirm-payment';
import { CreatePayment } from './create-payment';
import { ExpirePayments } from './expire-payments';
import { PaymentReader } from './payment-reader';
import { PaymentsController } from './payments.controller';
import { SimulatePayment } from './simulate-payment';
import { TestPaymentsController } from './test-payments.controller';

/** Requests for money: opened by merchants, confirmed by providers, booked in the ledger. */
@Module({
  controllers: [PaymentsController, TestPaymentsController],
  providers: [CreatePayment, PaymentReader, CancelPayment, ConfirmPayment, ExpirePayments, SimulatePayment],
})
export class PaymentsModule {}
