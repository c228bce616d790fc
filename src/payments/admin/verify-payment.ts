import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import type { ChainVerification } from '../chain/chain-verification';
import { VerifyChainPayment } from '../chain/verify-chain-payment';
import type { VerifyPaymentBody } from './admin-payments.dto';
import { findForStaff, outside } from './staff-lookup';

/** Looks at the chain for staff. What it finds is booked at once, by the same rules as when the watcher finds it. */
@Injectable()
export class VerifyPayment {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly verifying: VerifyChainPayment,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Looks at one transaction, or at all that has arrived at the payment's address; outside of any database transaction.
   * 409 for a payment that is not made on chain.
   */
  async verify(id: string, { hash }: VerifyPaymentBody): Promise<ChainVerification> {
    const { payment } = await findForStaff(outside(this.unitOfWork), id, false);
    const verification = await this.verifying.verify(payment, id, hash);
    return this.unitOfWork.run(async (tx) => {
      const { verified, missing } = verification;
      await this.audit.record(tx, payment, {
        kind: 'payment.verified_by_staff', objectId: id,
        after: { hash: verification.hash, verified, missing: missing.map(({ code }) => code) },
      });
      return verification;
    });
  }
}
