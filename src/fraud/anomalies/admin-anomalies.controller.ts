import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import type { StaffRole } from '../../platform/http/roles';
import {
  adminAnomalyPage, adminListAnomaliesQuery, type AdminListAnomaliesQuery, anomalyId, changeAnomalyBody, type ChangeAnomalyBody,
} from './anomalies.dto';
import { adminAnomalyFile, adminAnomalyObject } from './anomaly';
import { AnomalyReader } from './anomaly-reader';
import { ChangeAnomaly } from './change-anomaly';

const MAY_READ: readonly StaffRole[] = ['admin', 'approver', 'analyst', 'auditor'];

/** What looked wrong in the books of all clients. */
@ApiTags('Staff: anomalies')
@Controller('v1/admin/anomalies')
export class AdminAnomaliesController {
  constructor(
    private readonly anomalies: AnomalyReader,
    private readonly changing: ChangeAnomaly,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: MAY_READ, limit: 'person', audit: null, summary: 'List anomalies of all clients, newest first',
    answer: adminAnomalyPage,
  })
  list(@Query({ schema: adminListAnomaliesQuery }) query: AdminListAnomaliesQuery) {
    return this.anomalies.listForStaff(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: MAY_READ, limit: 'person', audit: null, summary: 'Get an anomaly with who made what of it',
    answer: adminAnomalyFile, problems: ['not_found'],
  })
  get(@Param({ schema: anomalyId }) { id }: { id: string }) {
    return this.anomalies.getForStaff(id);
  }

  @Patch(':id')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], limit: 'status_update', audit: 'anomaly.status_changed',
    summary: 'Say what you make of an anomaly', answer: adminAnomalyObject, problems: ['not_found', 'state_conflict'],
  })
  change(@Param({ schema: anomalyId }) { id }: { id: string }, @Body({ schema: changeAnomalyBody }) body: ChangeAnomalyBody) {
    return this.changing.changeForStaff(id, body);
  }
}
