import { Injectable } from '@nestjs/common';
import { deleteInBatches } from '../database/batches';
import { UnitOfWork } from '../database/unit-of-work';
import { Job, type JobHandler } from '../jobs/job-queue';

/** Twice what callers are promised, so that nobody's clock or queue can come near the end of it. */
const KEPT_HOURS = 48;
const BATCH = 5_000;

const CLEAN = `
  with old as (
    select client_id, livemode, route, key from idempotency_keys
     where created_at < now() - make_interval(hours => $1) limit $2
       for update skip locked
  ), gone as (
    delete from idempotency_keys k using old
     where k.client_id = old.client_id and k.livemode = old.livemode and k.route = old.route and k.key = old.key
    returning 1
  )
  select count(*)::int as gone from gone`;

/** Forgets idempotency keys whose answers nobody can ask for any more. */
@Injectable()
@Job('idempotency.clean')
export class CleanIdempotencyKeys implements JobHandler {
  readonly job = 'idempotency.clean';
  readonly schedule = '17 * * * *';

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Deletes batch by batch until none is left. Running twice, or at the same time elsewhere, does no harm. */
  run(): Promise<void> {
    return deleteInBatches(this.unitOfWork, CLEAN, BATCH, KEPT_HOURS);
  }
}
