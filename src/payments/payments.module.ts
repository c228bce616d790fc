import { Module, type OnModuleInit } from '@nestjs/common';
import { ChainsModule } from '../chains/chains.module';
import { ClientSettingsSections } from '../clients/settings/client-settings-sections';
import { FraudModule } from '../fraud/fraud.module';
import { LedgerModule } from '../ledger/ledger.module';
import { AdminPaymentsModule } from './admin/admin-payments.module';
import { CancelPayment } from './cancel-payment';
import { ChainPaymentsModule } from './chain/chain-payments.module';
import { ConfirmPayment } from './confirm-payment';
import { CreatePayment } from './create-payment';
import { ExpirePayments } from './expire-payments';
import { PaymentLedgerCheck } from './payment-ledger-check';
import { PaymentReader } from './payment-reader';
import { paymentRulesSchema } from './payment-rules';
import { PaymentsTestClock } from './payments-test-clock';
import { PaymentsController } from './payments.controller';
import { ReviewPayment } from './review-payment';
import { ResolveUnknown } from './resolve-unknown';
import { SimulatePayment } from './simulate-payment';
import { TestPaymentsController } from './test-payments.controller';
import { UnmatchedModule } from './unmatched/unmatched.module';

/** Requests for money: opened by merchants, confirmed by providers, booked in the ledger. */
@Module({
  imports: [LedgerModule, FraudModule, ChainsModule, ChainPaymentsModule, AdminPaymentsModule, UnmatchedModule],
  controllers: [PaymentsController, TestPaymentsController],
  providers: [
    CreatePayment, PaymentReader, CancelPayment, ConfirmPayment, ExpirePayments, ResolveUnknown, SimulatePayment, ReviewPayment, PaymentLedgerCheck, PaymentsTestClock,
  ],
})
export class PaymentsModule implements OnModuleInit {
  constructor(private readonly settings: ClientSettingsSections) {}

  onModuleInit(): void {
    this.settings.register('payment_rules', paymentRulesSchema);
  }
}
