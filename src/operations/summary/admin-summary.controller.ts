import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { Summary } from './summary';
import { summaryObject, summaryQuery, type SummaryQuery } from './summary.dto';

/** The figures of the last hours. */
@ApiTags('Staff: summary')
@Controller('v1/admin/summary')
export class AdminSummaryController {
  constructor(private readonly summary: Summary) {}

  @Get()
  @Policy({
    access: 'staff', roles: ['admin', 'analyst', 'auditor', 'approver'], limit: 'person', audit: null,
    summary: 'Show how the gateway did over the last hours', answer: summaryObject,
  })
  show(@Query({ schema: summaryQuery }) query: SummaryQuery) {
    return this.summary.of(query);
  }
}
