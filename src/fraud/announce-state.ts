import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { newId } from '../platform/identifiers';
import { runInContext } from '../platform/http/request-context';
import { RiskEngine } from './assessments/risk-engine';

/** Says at each start without fraud detection that nothing is scored, in the log and where auditors look. */
@Injectable()
export class AnnounceState implements OnApplicationBootstrap {
  private readonly logger = new Logger(AnnounceState.name);

  constructor(
    private readonly engine: RiskEngine,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.engine.enabled) return;
    this.logger.warn('fraud detection is switched off (FRAUD_DETECTION_ENABLED=false): payments, withdrawals, refunds and logins are not scored');
    const context = { requestId: newId('req'), actor: { type: 'system' as const, id: 'fraud_detection' }, startedAt: performance.now() };
    await runInContext(context, () => this.unitOfWork.run((tx) =>
      this.audit.record(tx, undefined, { kind: 'fraud_detection.off', objectId: 'fraud_detection', after: { FRAUD_DETECTION_ENABLED: false } })));
  }
}
