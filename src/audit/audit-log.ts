import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work';
import { type AuditedBook, type AuditedChange, auditParameter } from './audit-event';

/** The append-only log of changes, written in the transaction of the change; the database refuses to alter it. */
@Injectable()
export class AuditLog {
  /** Records a change by whoever acts in the current context. `book` is absent for what belongs to no client. */
  async record(tx: Tx, book: AuditedBook | undefined, change: AuditedChange): Promise<void> {
    await tx.query('select write_audit($1)', [auditParameter(book, [change])]);
  }
}
