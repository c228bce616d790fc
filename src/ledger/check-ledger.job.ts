import { Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log';
import { SecurityLog } from '../audit/security-log';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { Job, type JobHandler } from '../platform/jobs/job-queue';
import { LedgerCheck, type LedgerCheckResult } from './ledger-check';

/** Checks the ledger every hour, so that a fault is known before anybody acts on its figures. */
@Injectable()
@Job('ledger.check')
export class CheckLedgerJob implements JobHandler {
  readonly job = 'ledger.check';
  readonly schedule = '7 * * * *';
  private readonly logger = new Logger('LedgerCheck');

  constructor(
    private readonly ledgerCheck: LedgerCheck,
    private readonly securityLog: SecurityLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** A fault is told loudly and changes nothing: what to do about it is for people to decide. */
  async run(): Promise<void> {
    const result = await this.ledgerCheck.run();
    const { fault, counts, durationMs } = result;
    if (!fault) {
      this.logger.log({ msg: 'the ledger agrees', ...counts, duration_ms: durationMs });
      await this.note(result);
      return;
    }
    this.logger.error({ msg: 'the ledger does not agree', ...fault });
    await this.securityLog.write({
      kind: 'ledger.fault',
      severity: 'critical',
      source: 'ledger.check',
      action: 'reported for people to look at; nothing was changed',
      details: fault,
    });
    await this.note(result);
  }

  /** That it was checked, and with what outcome, is asked for by auditors and shown to whoever watches. */
  private async note({ ok, counts, durationMs, fault }: LedgerCheckResult): Promise<void> {
    const change = { kind: 'ledger.checked', objectId: 'ledger', after: { ok, ...counts, duration_ms: durationMs, fault } };
    await this.unitOfWork.run((tx) => this.audit.record(tx, undefined, change));
  }
}
