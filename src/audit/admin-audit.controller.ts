import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../platform/http/policy';
import type { StaffRole } from '../platform/http/roles';
import { AuditQueries } from './audit-queries';
import {
  auditPage, type SecurityEventsQuery, securityEventPage, securityEventsQuery, type SuspiciousQuery, suspiciousQuery, type UserAuditQuery,
  userAuditQuery, userId,
} from './audit-queries.dto';

const INVESTIGATORS: readonly StaffRole[] = ['admin', 'analyst', 'auditor'];

/** What staff ask the logs. */
@ApiTags('Staff: audit')
@Controller('v1/admin')
export class AdminAuditController {
  constructor(private readonly queries: AuditQueries) {}

  @Get('audit/users/:id')
  @Policy({
    access: 'staff', roles: INVESTIGATORS, limit: 'person', audit: null, summary: 'List what a person did, and what was done to them, newest first',
    answer: auditPage,
  })
  ofUser(@Param({ schema: userId }) { id }: { id: string }, @Query({ schema: userAuditQuery }) query: UserAuditQuery) {
    return this.queries.ofUser(id, query);
  }

  @Get('audit/suspicious')
  @Policy({
    access: 'staff', roles: INVESTIGATORS, limit: 'person', audit: null, summary: 'List suspicious activity, newest first', answer: securityEventPage,
  })
  suspicious(@Query({ schema: suspiciousQuery }) query: SuspiciousQuery) {
    return this.queries.suspicious(query);
  }

  @Get('security-events')
  @Policy({
    access: 'staff', roles: INVESTIGATORS, limit: 'person', audit: null, summary: 'List what was refused or looked wrong, newest first',
    answer: securityEventPage,
  })
  securityEvents(@Query({ schema: securityEventsQuery }) query: SecurityEventsQuery) {
    return this.queries.securityEvents(query);
  }
}
