import { Module } from '@nestjs/common';
import { AdminAnomaliesController } from './admin-anomalies.controller';
import { AnomaliesController } from './anomalies.controller';
import { AnomalyReader } from './anomaly-reader';
import { ChangeAnomaly } from './change-anomaly';

/** What looked wrong, and what people make of it. Whoever notices something calls record_anomaly: see new-anomaly.ts. */
@Module({
  controllers: [AnomaliesController, AdminAnomaliesController],
  providers: [AnomalyReader, ChangeAnomaly],
})
export class AnomaliesModule {}
