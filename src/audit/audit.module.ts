import { Global, Module } from '@nestjs/common';
import { REFUSAL_RECORDER } from '../platform/http/problem.filter';
import { AuditLog } from './audit-log';
import { SecurityLog } from './security-log';

/** What was changed and what was refused. Every feature above writes here, so it is there for all. */
@Global()
@Module({
  providers: [AuditLog, SecurityLog, { provide: REFUSAL_RECORDER, useExisting: SecurityLog }],
  exports: [AuditLog, SecurityLog, REFUSAL_RECORDER],
})
export class AuditModule {}
