import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { newEndpointSecret } from '../standard-webhooks';
import { lockEndpoint } from './endpoint-reader';
import { EndpointSecrets } from './endpoint-secrets';
import { bookOf, type EndpointRow, type EndpointWithSecret, presentEndpoint } from './webhook-endpoint';
import type { RotateSecretBody } from './webhook-endpoints.dto';

/** Gives an endpoint a new secret; for a while the old one signs as well, so that the receiver can change without a gap. */
@Injectable()
export class RotateEndpointSecret {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly secrets: EndpointSecrets,
    private readonly audit: AuditLog,
  ) {}

  /** Answers the endpoint with its new secret, this once. A rotation within an overlap ends the older secret. */
  rotate(id: string, { overlap_seconds: overlapSeconds }: RotateSecretBody): Promise<EndpointWithSecret> {
    return this.unitOfWork.run(async (tx) => {
      const before = await lockEndpoint(tx, id);
      const book = bookOf(before);
      const secret = newEndpointSecret();
      const previous = overlapSeconds === 0 ? null : this.asPrevious(before);
      const [after] = await tx.query<EndpointRow>(
        `with changed as (
           update webhook_endpoints set secret = $4, previous_secret = $5, updated_at = now(),
                  previous_secret_expires_at = case when $5::text is not null then now() + make_interval(secs => $6) end
            where client_id = $1 and livemode = $2 and id = $3 returning *
         ) select * from changed`,
        [book.clientId, book.livemode, id, this.secrets.seal(secret, 'secret', book.clientId, id), previous, overlapSeconds],
      );
      const [was, is] = [presentEndpoint(before), presentEndpoint(after)];
      await this.audit.record(tx, book, { kind: 'webhook_endpoint.secret_rotated', objectId: id, before: was, after: is });
      return { ...is, secret };
    });
  }

  /** A sealed secret opens only in its own column, so it is sealed again for the other. */
  private asPrevious({ secret, client_id: clientId, id }: EndpointRow): string {
    return this.secrets.seal(this.secrets.open(secret, 'secret', clientId, id), 'previous_secret', clientId, id);
  }
}
