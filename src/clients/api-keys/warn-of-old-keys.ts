import { Injectable } from '@nestjs/common';
import { untilDone } from '../../platform/database/batches';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';
import { Outbox } from '../../platform/outbox/outbox';
import { presentApiKey, type ShownKey } from './api-key-presenter';
import { KEY_COLUMNS } from './api-key-reader';

type OldKey = ShownKey & { clientId: string };

const WARN_DAYS = 76;
const OLD_DAYS = 90;
const BATCH = 500;

/**
 * The next keys in use whose age nobody was told of, marked as told. A key that is over 90 days when it is first seen is told of once.
 * Its revision stays: it opens what it opened. Clients that are suspended are told when they are active again.
 */
const TAKE = `
  with old as (
    select k.client_id, k.id
      from api_keys k join clients c on c.id = k.client_id and c.status = 'active'
     where k.revoked_at is null and k.replaced_by is null and k.warned_at_days < ${OLD_DAYS}
       and k.created_at <= now() - interval '${WARN_DAYS} days'
       and (k.warned_at_days < ${WARN_DAYS} or k.created_at <= now() - interval '${OLD_DAYS} days')
       and (k.expires_at is null or k.expires_at > now())
     order by k.created_at limit $1 for no key update of k skip locked
  ), told as (
    update api_keys k
       set warned_at_days = case when k.created_at <= now() - interval '${OLD_DAYS} days' then ${OLD_DAYS} else ${WARN_DAYS} end
      from old where k.client_id = old.client_id and k.id = old.id
    returning k.*
  )
  select client_id as "clientId", ${KEY_COLUMNS} from told`;

/** Tells clients of keys that are due to be rotated: at 76 days of age, and at 90, when they should have been. */
@Injectable()
@Job('api_keys.warn')
export class WarnOfOldKeys implements JobHandler {
  readonly job = 'api_keys.warn';
  readonly schedule = '25 5 * * *';

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: Outbox,
  ) {}

  /** Batch by batch until nobody is left to tell. Running twice, or at the same time elsewhere, tells nobody twice. */
  run(): Promise<void> {
    return untilDone(BATCH, () => this.unitOfWork.run((tx) => this.tell(tx)));
  }

  private async tell(tx: Tx): Promise<number> {
    const keys = await tx.query<OldKey>(TAKE, [BATCH]);
    for (const { clientId, ...key } of keys) {
      const event = { type: 'api_key.expiring', objectId: key.id, data: presentApiKey(key) };
      await this.outbox.emit(tx, { clientId, livemode: key.livemode }, [event]);
    }
    return keys.length;
  }
}
