import { Module } from '@nestjs/common';
import { ChainsModule } from '../chains/chains.module';
import { FraudModule } from '../fraud/fraud.module';
import { AlertsModule } from './alerts/alerts.module';
import { AdminBlocksController } from './blocks/admin-blocks.controller';
import { BlockReader } from './blocks/block-reader';
import { CreateBlock } from './blocks/create-block';
import { ReleaseBlock } from './blocks/release-block';
import { CircuitBreaker } from './circuit-breaker';
import { CurrentFigures } from './figures/current-figures';
import { MetricsController } from './figures/metrics.controller';
import { MetricsDoor } from './figures/metrics-door';
import { RefreshFigures } from './figures/refresh-figures';
import { HealthController } from './health.controller';
import { Readiness } from './readiness';
import { ReconciliationModule } from './reconciliation/reconciliation.module';
import { AdminSummaryController } from './summary/admin-summary.controller';
import { Summary } from './summary/summary';
import { WindowReader } from './summary/window-figures';
import { AdminSwitchesController } from './switches/admin-switches.controller';
import { ChangeSwitch } from './switches/change-switch';
import { SwitchReader } from './switches/switch-reader';
import { Switchboard } from './switches/switchboard';
import { AdvanceTestClock } from './test-clock/advance-test-clock';
import { TestClockController } from './test-clock/test-clock.controller';

/** What operators and their monitors look at, and what stops or moves the whole. */
@Module({
  imports: [ChainsModule, FraudModule, ReconciliationModule, AlertsModule],
  controllers: [
    HealthController, MetricsController, AdminSummaryController, AdminBlocksController, AdminSwitchesController, TestClockController,
  ],
  providers: [
    Readiness, BlockReader, CreateBlock, ReleaseBlock,
    Switchboard, SwitchReader, ChangeSwitch, CircuitBreaker,
    AdvanceTestClock,
    CurrentFigures, RefreshFigures, MetricsDoor, Summary, WindowReader,
  ],
})
export class OperationsModule {}
