import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentAccess } from '../../platform/http/request-context';
import { TestClock } from '../../platform/test-clock/test-clock';
import type { AdvanceClockBody, TestClockObject } from './test-clock.dto';

/** Lets time pass in a client's test book: everything there that waits for its time is due that much sooner, all of it or nothing. */
@Injectable()
export class AdvanceTestClock {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: TestClock,
    private readonly audit: AuditLog,
  ) {}

  /** Payments that are over by then have expired before it answers; deliveries and payouts are under way. */
  async advance({ advance_seconds: seconds }: AdvanceClockBody): Promise<TestClockObject> {
    const { clientId } = currentAccess();
    const answer = await this.unitOfWork.run(async (tx): Promise<TestClockObject> => {
      const moved: Record<string, number> = {};
      for (const part of this.clock.parts) Object.assign(moved, await part.advance(tx, clientId, seconds));
      const advanced = { advanced_seconds: seconds, moved };
      await this.audit.record(tx, { clientId, livemode: false }, { kind: 'test_clock.advanced', objectId: clientId, after: advanced });
      return { object: 'test_clock', ...advanced };
    });
    for (const part of this.clock.parts) await part.settle?.(clientId);
    return answer;
  }
}
