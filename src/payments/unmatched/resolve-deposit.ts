import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import type { Tx } from '../../platform/database/unit-of-work';
import { currentSession } from '../../platform/http/request-context';
import { depositFromRow, type UnmatchedDeposit, type UnmatchedRow } from './unmatched-deposit';
import { presentUnmatched, type UnmatchedObject } from './unmatched-presenter';

/** What becomes of a deposit. */
export interface Resolution {
  status: 'assigned' | 'refunding' | 'refunded';
  /** Why, in the words of whoever decides. */
  reason: string;
  /** The payment that takes it, in whose book it then stands. */
  payment?: { clientId: string; livemode: boolean; id: string };
  /** What shows that it was given back by hand. */
  evidence?: string;
}

const UPDATE = `
  with resolved as (
    update unmatched_deposits
       set status = $2, resolution = $3, resolved_by = $4, resolved_at = case when $2 <> 'refunding' then now() end,
           client_id = coalesce($5, client_id), livemode = coalesce($6, livemode), payment_id = coalesce($7, payment_id),
           details = details || $8, revision = revision + 1
     where id = $1
    returning *)
  select * from resolved`;

/** Writes what people have decided about a deposit that they have locked, into its row and into the audit log. */
@Injectable()
export class ResolveDeposit {
  constructor(private readonly audit: AuditLog) {}

  async resolve(tx: Tx, before: UnmatchedDeposit, { status, reason, payment, evidence }: Resolution): Promise<UnmatchedObject> {
    const [row] = await tx.query<UnmatchedRow>(UPDATE, [
      before.id, status, reason, currentSession().personId, payment?.clientId ?? null, payment?.livemode ?? null, payment?.id ?? null,
      JSON.stringify(evidence === undefined ? {} : { evidence }),
    ]);
    const resolved = depositFromRow(row!);
    const after = presentUnmatched(resolved);
    const book = resolved.clientId === null ? undefined : { clientId: resolved.clientId, livemode: resolved.livemode ?? undefined };
    await this.audit.record(tx, book, {
      kind: `unmatched_deposit.${status}`, objectId: before.id, before: presentUnmatched(before), after,
    });
    return after;
  }
}
