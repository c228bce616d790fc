import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES, type StaffRole } from '../../platform/http/roles';
import { AlertReader } from './alert-reader';
import {
  acknowledgeBody, type AcknowledgeBody, alertId, alertPage, alertWithDeliveries, listAlertsQuery, type ListAlertsQuery, resolveBody,
  type ResolveBody,
} from './alerts.dto';
import { HandleAlert } from './handle-alert';

const HANDLERS: readonly StaffRole[] = ['admin', 'analyst'];

/** What the alert rules have told, who has taken it, and how it ended. */
@ApiTags('Staff: alerts')
@Controller('v1/admin/audit/alerts')
export class AdminAlertsController {
  constructor(
    private readonly alerts: AlertReader,
    private readonly handling: HandleAlert,
  ) {}

  @Get()
  @Policy({ access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'List alerts, newest first', answer: alertPage })
  list(@Query({ schema: listAlertsQuery }) query: ListAlertsQuery) {
    return this.alerts.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'Get an alert with its deliveries',
    answer: alertWithDeliveries, problems: ['not_found'],
  })
  get(@Param({ schema: alertId }) { id }: { id: string }) {
    return this.alerts.get(id);
  }

  @Post(':id/acknowledge')
  @Policy({
    access: 'staff', roles: HANDLERS, limit: 'person', audit: 'alert.acknowledged',
    summary: 'Take an alert: it escalates no further', answer: alertWithDeliveries, problems: ['not_found', 'state_conflict'],
  })
  acknowledge(@Param({ schema: alertId }) { id }: { id: string }, @Body({ schema: acknowledgeBody }) body: AcknowledgeBody) {
    return this.handling.acknowledge(id, body);
  }

  @Post(':id/resolve')
  @Policy({
    access: 'staff', roles: HANDLERS, limit: 'person', audit: 'alert.resolved',
    summary: 'End an alert: what comes later raises a new one', answer: alertWithDeliveries, problems: ['not_found', 'state_conflict'],
  })
  resolve(@Param({ schema: alertId }) { id }: { id: string }, @Body({ schema: resolveBody }) body: ResolveBody) {
    return this.handling.resolve(id, body);
  }
}
