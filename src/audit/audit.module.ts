import { Global, Module } from '@nestjs/common';
import { REFUSAL_RECORDER } from '../platform/http/problem.filter';
import { AUDIT_TRAIL } from '../platform/security/audit-trail';
import { SECURITY_EVENTS } from '../platform/security/security-events';
import { AdminAuditController } from './admin-audit.controller';
import { AuditLog } from './audit-log';
import { AuditQueries } from './audit-queries';
import { SecurityLog } from './security-log';
import { StaffExports } from './staff-exports';

/** What was changed and what was refused. Every feature above writes here, so it is there for all. */
@Global()
@Module({
  controllers: [AdminAuditController],
  providers: [
    AuditLog, AuditQueries, SecurityLog, StaffExports,
    { provide: AUDIT_TRAIL, useExisting: AuditLog },
    { provide: REFUSAL_RECORDER, useExisting: SecurityLog },
    { provide: SECURITY_EVENTS, useExisting: SecurityLog },
  ],
  exports: [AuditLog, AuditQueries, SecurityLog, StaffExports, AUDIT_TRAIL, REFUSAL_RECORDER, SECURITY_EVENTS],
})
export class AuditModule {}
