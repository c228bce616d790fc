import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MANAGERS, Policy, READERS } from '../../platform/http/policy';
import {
  anomalyId, anomalyPage, changeAnomalyBody, type ChangeAnomalyBody, listAnomaliesQuery, type ListAnomaliesQuery,
} from './anomalies.dto';
import { anomalyFile, anomalyObject } from './anomaly';
import { AnomalyReader } from './anomaly-reader';
import { ChangeAnomaly } from './change-anomaly';

/** What looked wrong in a client's book. */
@ApiTags('Anomalies')
@Controller('v1/anomalies')
export class AnomaliesController {
  constructor(
    private readonly anomalies: AnomalyReader,
    private readonly changing: ChangeAnomaly,
  ) {}

  @Get()
  @Policy({
    access: 'api_key', scope: 'anomalies:read', roles: READERS, limit: 'anomalies', audit: null, summary: 'List anomalies, newest first',
    answer: anomalyPage,
  })
  list(@Query({ schema: listAnomaliesQuery }) query: ListAnomaliesQuery) {
    return this.anomalies.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'anomalies:read', roles: READERS, limit: 'anomalies', audit: null,
    summary: 'Get an anomaly with what people have made of it', answer: anomalyFile, problems: ['not_found'],
  })
  get(@Param({ schema: anomalyId }) { id }: { id: string }) {
    return this.anomalies.get(id);
  }

  @Patch(':id')
  @Policy({
    access: 'api_key', scope: 'anomalies:write', roles: MANAGERS, limit: 'status_update', audit: 'anomaly.status_changed',
    summary: 'Say what you make of an anomaly', answer: anomalyObject, problems: ['not_found', 'state_conflict'],
  })
  change(@Param({ schema: anomalyId }) { id }: { id: string }, @Body({ schema: changeAnomalyBody }) body: ChangeAnomalyBody) {
    return this.changing.change(id, body);
  }
}
