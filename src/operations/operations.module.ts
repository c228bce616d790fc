import { Module } from '@nestjs/common';
import { ChainsModule } from '../chains/chains.module';
import { FraudModule } from '../fraud/fraud.module';
import { AlertsModule } from './alerts/alerts.module';
import { AdminBlocksController } from './blocks/admin-blocks.controller';
import { BlockReader } from './blocks/block-reader';
import { CreateBlock } from './blocks/create-block';
import { ReleaseBlock } from './blocks/release-block';
import { CircuitBreaker } from './circuit-breaker';
import { HealthController } from './health.controller';
import { Readiness } from './readiness';
import { ReconciliationModule } from './reconciliation/reconciliation.module';
import { AdminSwitchesController } from './switches/admin-switches.controller';
import { ChangeSwitch } from './switches/change-switch';
import { SwitchReader } from './switches/switch-reader';
import { Switchboard } from './switches/switchboard';
import { AdvanceTestClock } from './test-clock/advance-test-clock';
import { TestClockController } from './test-clock/test-clock.controller';

/** What operators and their monitors look at, and what stops or moves the whole. */
@Module({
  imports: [ChainsModule, FraudModule, ReconciliationModule, AlertsModule],
  controllers: [HealthController, AdminBlocksController, AdminSwitchesController, TestClockController],
  providers: [
    Readiness, BlockReader, CreateBlock, ReleaseBlock,
    Switchboard, SwitchReader, ChangeSwitch, CircuitBreaker,
    AdvanceTestClock,
  ],
})
export class OperationsModule {}
