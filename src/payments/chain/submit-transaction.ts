import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import type { ChainVerification } from './chain-verification';
import type { SubmitTransactionBody } from './chain-payments.dto';
import { VerifyChainPayment } from './verify-chain-payment';

/** Takes the hash of a transaction that a merchant's payer names, and says at once whether it pays. */
@Injectable()
export class SubmitTransaction {
  constructor(
    private readonly verifyChainPayment: VerifyChainPayment,
    private readonly unitOfWork: UnitOfWork,
    private readonly auditLog: AuditLog,
  ) {}

  /** The chain is read outside of any transaction; only the answer is stored in one, for repetitions with the same idempotency key. */
  async submit(id: string, { hash }: SubmitTransactionBody): Promise<ChainVerification> {
    const verification = await this.verifyChainPayment.verify(currentAccess(), id, hash);
    return this.unitOfWork.run(async (tx) => {
      const { verified, missing } = verification;
      await this.auditLog.record(tx, currentAccess(), {
        kind: 'payment.transaction_submitted', objectId: id, after: { hash, verified, missing: missing.map(({ code }) => code) },
      });
      return verification;
    });
  }
}
