import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { lockEndpoint } from '../endpoints/endpoint-reader';
import { bookOf } from '../endpoints/webhook-endpoint';
import { type FailBody, plannedBy, type TestReceiverObject } from './test-receiver.dto';

/** Lets a merchant see how its endpoint is treated when it fails, without breaking its own server. */
@Injectable()
export class AskForFailures {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** The next attempts to a test endpoint fail as asked. An attempt that is being made at this moment is not among them. */
  ask(id: string, body: FailBody): Promise<TestReceiverObject> {
    return this.unitOfWork.run(async (tx) => {
      const book = bookOf(await lockEndpoint(tx, id));
      const planned = plannedBy(id, body);
      await tx.query(
        'update webhook_endpoints set test_failure = $3, test_failures_left = $4 where client_id = $1 and not livemode and id = $2',
        [book.clientId, id, planned.outcome, planned.attempts],
      );
      await this.audit.record(tx, book, { kind: 'webhook_endpoint.failures_asked', objectId: id, after: planned });
      return planned;
    });
  }
}
