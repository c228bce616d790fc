import { Module } from '@nestjs/common';
import { ChainsModule } from '../../chains/chains.module';
import { ApplyArrival } from './apply-arrival';
import { ChainNotices } from './chain-notices';
import { ChainPaymentsController } from './chain-payments.controller';
import { SubmitTransaction } from './submit-transaction';
import { VerifyChainPayment } from './verify-chain-payment';

/** From what the chain shows to the payment that it pays. */
@Module({
  imports: [ChainsModule],
  controllers: [ChainPaymentsController],
  providers: [ApplyArrival, ChainNotices, SubmitTransaction, VerifyChainPayment],
  exports: [ChainNotices, VerifyChainPayment],
})
export class ChainPaymentsModule {}
