import { Injectable, Logger } from '@nestjs/common';
import { SecurityLog } from '../audit/security-log';
import { Job, type JobHandler } from '../platform/jobs/job-queue';
import { LedgerCheck } from './ledger-check';

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
  ) {}

  /** A fault is told loudly and changes nothing: what to do about it is for people to decide. */
  async run(): Promise<void> {
    const { fault, counts, durationMs } = await this.ledgerCheck.run();
    if (!fault) {
      this.logger.log({ msg: 'the ledger agrees', ...counts, duration_ms: durationMs });
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
  }
}
