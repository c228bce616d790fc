import { Module } from '@nestjs/common';
import { ChainsModule } from '../chains/chains.module';
import { ManualPort } from './manual';
import { PayoutOwners } from './payout-owners';
import { Payouts } from './payouts';
import { PayoutsTestClock } from './payouts-test-clock';
import { RunPayouts } from './run-payouts';
import { SimulatorPort } from './simulator';

/** Attempts to pay money out, stored before they are sent. */
@Module({
  imports: [ChainsModule],
  providers: [PayoutOwners, Payouts, RunPayouts, SimulatorPort, ManualPort, PayoutsTestClock],
  exports: [PayoutOwners, Payouts, RunPayouts],
})
export class PayoutsModule {}
