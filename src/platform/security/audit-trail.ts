import type { Tx } from '../database/unit-of-work';
import type { Book } from '../outbox/outbox';

/** Where the platform records changes of its own, in their transaction, as made by the current context's actor; the audit room keeps them. */
export interface AuditTrail {
  record(tx: Tx, book: Book | undefined, change: { kind: string; objectId: string; before?: object; after?: object }): Promise<void>;
}
export const AUDIT_TRAIL = Symbol('AUDIT_TRAIL');
