import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { Ledger } from '../../ledger/ledger.service';
import { formatAmount } from '../../money/money';
import type { Tx } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { Outbox } from '../../platform/outbox/outbox';
import { type Refund, refundFromRow, type RefundRow } from './refund';
import { presentRefund, presentRefundToStaff } from './refund-presenter';
import { refundStatusAfter, type RefundTrigger } from './refund-state';
import { RefundStateProblem } from './refunds.errors';

/** What is written beside the new status. */
export interface RefundDetails {
  failure?: string;
  transactionHash?: string;
}

/** How the audit log, and a problem, call what was asked. */
const DONE: Readonly<Record<RefundTrigger, string>> = { approve: 'approved', reject: 'rejected', succeed: 'succeeded', fail: 'failed' };
/** What becomes of the hold. */
const ENDS: Partial<Record<RefundTrigger, 'post' | 'void'>> = { succeed: 'post', reject: 'void', fail: 'void' };

const INSERT = `
  insert into refunds (client_id, livemode, id, payment_id, deposit_id, status, amount_minor, currency, method, reason, destination,
                       requested_by, approvals_required, risk, hold_id, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)`;
const UPDATE = `
  with moved as (
    update refunds
       set status = $5, failure = $6, transaction_hash = $7, revision = revision + 1, updated_at = now()
     where client_id = $1 and livemode = $2 and id = $3 and revision = $4 and refund_may_become(status, $5)
    returning *)
  select * from moved`;
/** The revision grows, so that whoever decides about the payment at the same time decides again. */
const RESERVE = `
  update payments set amount_refunding_minor = amount_refunding_minor + $4, revision = revision + 1
   where client_id = $1 and livemode = $2 and id = $3`;
const RELEASE = `
  update payments set amount_refunding_minor = amount_refunding_minor - $4, revision = revision + 1
   where client_id = $1 and livemode = $2 and id = $3`;
const COUNT = `
  with counted as (
    update payments
       set amount_refunding_minor = amount_refunding_minor - $4, amount_refunded_minor = amount_refunded_minor + $4,
           revision = revision + 1, updated_at = now()
     where client_id = $1 and livemode = $2 and id = $3
    returning amount_refunded_minor)
  select amount_refunded_minor as refunded from counted`;
/** An open deposit is anybody's again: who gave it back, and why, stays in the audit log. */
const RESOLVE = `
  update unmatched_deposits
     set status = $2, revision = revision + 1, resolved_at = case when $2 = 'refunded' then now() end,
         resolved_by = case when $2 = 'refunded' then resolved_by end, resolution = case when $2 = 'refunded' then resolution end
   where id = $1 and status = 'refunding'`;

/**
 * Writes every change of a refund: the row, what it gives back, what becomes of the hold, the audit event and what the merchant is told,
 * in one transaction. The payment or deposit is locked by then, and the ledger's accounts come last.
 */
@Injectable()
export class RefundChanges {
  constructor(
    private readonly ledger: Ledger,
    private readonly audit: AuditLog,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Stores a new refund and holds its funds: from the client's available ones for a payment, from the unmatched ones for a deposit.
   *
   * @throws Problem 422 `insufficient_funds`; the transaction is then over.
   */
  async open(tx: Tx, wanted: Omit<Refund, 'holdId'>): Promise<Refund> {
    const { clientId, livemode, id, paymentId, depositId, amountMinor, currency } = wanted;
    const minor = amountMinor.toString();
    if (paymentId) await tx.query(RESERVE, [clientId, livemode, paymentId, minor]);
    const from = depositId ? 'unmatched' : 'available';
    const holdId = await this.ledger.hold(tx, wanted, currency, { amountMinor, code: 'refund', referenceId: id, from });
    await tx.query(INSERT, [
      clientId, livemode, id, paymentId, depositId, wanted.status, minor, currency, wanted.method, wanted.reason, wanted.destination,
      wanted.requestedBy, wanted.approvalsRequired, JSON.stringify(wanted.risk), holdId, wanted.createdAt,
    ]);
    const refund = { ...wanted, holdId };
    await this.audit.record(tx, refund, { kind: 'refund.created', objectId: id, after: presentRefundToStaff(refund) });
    await this.tell(tx, refund);
    return refund;
  }

  /** Moves a locked refund on; 409 `state_conflict` when its status does not allow it. */
  async move(tx: Tx, before: Refund, trigger: RefundTrigger, { failure, transactionHash }: RefundDetails = {}): Promise<Refund> {
    const status = refundStatusAfter(before.status, trigger);
    if (!status) throw new RefundStateProblem(before, DONE[trigger]);
    const { clientId, livemode, id, revision } = before;
    const [row] = await tx.query<RefundRow>(UPDATE, [
      clientId, livemode, id, revision.toString(), status, failure ?? null, transactionHash ?? null,
    ]);
    if (!row) throw new Problem('state_conflict', 'This refund was changed meanwhile. Read it again.');
    const after = refundFromRow(row);
    const end = ENDS[trigger];
    if (end) await this.end(tx, after, end);
    await this.audit.record(tx, after, {
      kind: `refund.${DONE[trigger]}`, objectId: id, before: presentRefundToStaff(before), after: presentRefundToStaff(after),
    });
    await this.tell(tx, after);
    return after;
  }

  private async end(tx: Tx, refund: Refund, end: 'post' | 'void'): Promise<void> {
    if (refund.paymentId) await (end === 'post' ? this.count(tx, refund, refund.paymentId) : this.release(tx, refund));
    if (refund.depositId) await this.resolve(tx, refund, refund.depositId, end === 'post' ? 'refunded' : 'open');
    await this.ledger[end](tx, refund, refund.holdId);
  }

  /** The payment shows it as refunded; its own history says so too. */
  private async count(tx: Tx, refund: Refund, paymentId: string): Promise<void> {
    const { clientId, livemode, id, amountMinor, currency } = refund;
    const [row] = await tx.query<{ refunded: string }>(COUNT, [clientId, livemode, paymentId, amountMinor.toString()]);
    const refunded = BigInt(row!.refunded);
    await this.audit.record(tx, refund, {
      kind: 'payment.refunded', objectId: paymentId,
      before: { amount_refunded: formatAmount(refunded - amountMinor, currency) },
      after: { amount_refunded: formatAmount(refunded, currency), refund: id },
    });
  }

  private async release(tx: Tx, { clientId, livemode, paymentId, amountMinor }: Refund): Promise<void> {
    await tx.query(RELEASE, [clientId, livemode, paymentId, amountMinor.toString()]);
  }

  private async resolve(tx: Tx, refund: Refund, depositId: string, status: 'refunded' | 'open'): Promise<void> {
    await tx.query(RESOLVE, [depositId, status]);
    await this.audit.record(tx, refund, {
      kind: `unmatched_deposit.${status}`, objectId: depositId, before: { status: 'refunding' }, after: { status, refund: refund.id },
    });
  }

  private tell(tx: Tx, refund: Refund): Promise<void> {
    return this.outbox.emit(tx, refund, [{ type: `refund.${refund.status}`, objectId: refund.id, data: presentRefund(refund) }]);
  }
}
