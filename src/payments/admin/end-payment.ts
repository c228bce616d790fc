import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { SecondFactorCodes } from '../../auth/two-factor/second-factor-codes';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { hasFreshFactor } from '../../platform/security/person-rules';
import { changedPayment, changeStatement, type PaymentChange } from '../payment-change';
import { type PaymentTrigger, statusAfter } from '../payment-state';
import { PaymentStateProblem } from '../payments.errors';
import { type AdminPaymentObject, presentPaymentToStaff } from './admin-payment-presenter';
import type { EndPaymentBody } from './admin-payments.dto';
import { findForStaff } from './staff-lookup';

const TRIGGERS: Readonly<Record<EndPaymentBody['status'], PaymentTrigger>> = { failed: 'fail', canceled: 'cancel', expired: 'expire' };

/** Ends a payment that nobody has paid, by the word of one admin. Money that comes later is treated as after any other end. */
@Injectable()
export class EndPayment {
  constructor(
    private readonly codes: SecondFactorCodes,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Only along the transitions of every payment, and only while nothing was received: 409 `state_conflict`. Needs the role of an admin
   * (403 `forbidden`) and a second factor of the last five minutes or in the body (403 `two_factor_required`).
   */
  end(id: string, { status: wanted, reason, totp_code: code }: EndPaymentBody): Promise<AdminPaymentObject> {
    const session = currentSession();
    if (session.role !== 'admin') throw new Problem('forbidden', 'Only an admin may end a payment.');
    if (code === undefined && !hasFreshFactor(session)) {
      throw new Problem('two_factor_required', 'Enter a code of your second factor for this: send it as totp_code.');
    }
    return this.codes.guard(code, async (tx) => {
      const { payment: before } = await findForStaff(tx.query, id, true);
      const status = statusAfter(before.status, TRIGGERS[wanted]);
      if (!status || before.amountReceivedMinor > 0n) throw new PaymentStateProblem(before, wanted);
      const exception = before.exception === 'unknown' ? null : before.exception;
      const change: PaymentChange = { before, after: { status, exception }, at: new Date() };
      const { text, values } = changeStatement(change);
      await tx.query(text, values);
      await this.audit.record(tx, before, {
        kind: 'payment.status_changed', objectId: id, before: { status: before.status }, after: { status, reason },
      });
      return presentPaymentToStaff(changedPayment(change));
    });
  }
}
