import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { ReconcileDay } from './reconcile-day';
import { ReconciliationStore } from './reconciliation-store';
import {
  listReconciliationsQuery, type ListReconciliationsQuery, makeReconciliationBody, type MakeReconciliationBody, reconciliationDay,
  reconciliationMode, reconciliationObject, reconciliationPage,
} from './reconciliations.dto';

/** Each day's comparison of the books with what providers and the chain say, over all clients. */
@ApiTags('Staff: reports')
@Controller('v1/admin/reports/reconciliations')
export class AdminReconciliationsController {
  constructor(
    private readonly store: ReconciliationStore,
    private readonly reconciling: ReconcileDay,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'List the daily reconciliations, newest first',
    answer: reconciliationPage,
  })
  list(@Query({ schema: listReconciliationsQuery }) query: ListReconciliationsQuery) {
    return this.store.list(query);
  }

  @Get(':day')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'Get the reconciliation of a day, live unless asked otherwise', answer: reconciliationObject, problems: ['not_found'],
  })
  get(
    @Param({ schema: reconciliationDay }) { day }: { day: string },
    @Query({ schema: reconciliationMode }) { livemode }: { livemode: boolean },
  ) {
    return this.store.get(day, livemode);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin', 'auditor'], limit: 'status_update', audit: 'reconciliation.made', status: 201,
    summary: 'Compare a day now, in place of its earlier reconciliation', answer: reconciliationObject, problems: ['state_conflict'],
  })
  make(@Body({ schema: makeReconciliationBody }) { day, livemode }: MakeReconciliationBody) {
    return this.reconciling.make(day, livemode);
  }
}
