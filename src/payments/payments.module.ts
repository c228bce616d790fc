import { Module, type OnModuleInit } from '@nestjs/common';
import { ClientSettingsSections } from '../clients/settings/client-settings-sections';
import { LedgerModule } from '../ledger/ledger.module';
import { CancelPayment } from './cancel-payment';
import { ConfirmPayment } from './confirm-payment';
import { CreatePayment } from './create-payment';
import { ExpirePayments } from './expire-payments';
import { PaymentLedgerCheck } from './payment-ledger-check';
import { PaymentReader } from './payment-reader';
import { paymentRulesSchema } from './payment-rules';
import { PaymentsController } from './payments.controller';
import { SimulatePayment } from './simulate-payment';
import { TestPaymentsController } from './test-payments.controller';

/** Requests for money: opened by merchants, confirmed by providers, booked in the ledger. */
@Module({
  imports: [LedgerModule],
  controllers: [PaymentsController, TestPaymentsController],
  providers: [CreatePayment, PaymentReader, CancelPayment, ConfirmPayment, ExpirePayments, SimulatePayment, PaymentLedgerCheck],
})
export class PaymentsModule implements OnModuleInit {
  constructor(private readonly settings: ClientSettingsSections) {}

  onModuleInit(): void {
    this.settings.register('payment_rules', paymentRulesSchema);
  }
}
