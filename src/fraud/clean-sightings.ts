import { Injectable } from '@nestjs/common';
import { deleteInBatches } from '../platform/database/batches';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { Job, type JobHandler } from '../platform/jobs/job-queue';

/** A day longer than they count. */
const KEPT_DAYS = 31;
const BATCH = 5_000;

const CLEAN_SIGHTINGS = `
  with old as (
    select client_id, livemode, kind, entity, at, subject_id from risk_sightings
     where (at at time zone 'UTC')::date < (now() at time zone 'UTC')::date - $1::integer limit $2 for update skip locked
  ), gone as (
    delete from risk_sightings s using old
     where s.client_id = old.client_id and s.livemode = old.livemode and s.kind = old.kind and s.entity = old.entity and s.at = old.at
       and s.subject_id = old.subject_id
    returning 1
  )
  select count(*)::int as gone from gone`;
const CLEAN_COUNTERS = `
  with old as (
    select client_id, livemode, kind, entity from risk_counters
     where seen_on < (now() at time zone 'UTC')::date - $1::integer limit $2 for update skip locked
  ), gone as (
    delete from risk_counters c using old
     where c.client_id = old.client_id and c.livemode = old.livemode and c.kind = old.kind and c.entity = old.entity
    returning 1
  )
  select count(*)::int as gone from gone`;
const CLEAN_BLOCKS = `
  with old as (
    select client_id, livemode, guard, entity from risk_guard_blocks where blocked_until < now() limit $1 for update skip locked
  ), gone as (
    delete from risk_guard_blocks b using old
     where b.client_id = old.client_id and b.livemode = old.livemode and b.guard = old.guard and b.entity = old.entity
    returning 1
  )
  select count(*)::int as gone from gone`;

/** Forgets sightings and counters that count no more, and blocks that are over. Assessments stay: decisions are explained by them. */
@Injectable()
@Job('risk.clean')
export class CleanSightings implements JobHandler {
  readonly job = 'risk.clean';
  readonly schedule = '47 * * * *';

  constructor(private readonly unitOfWork: UnitOfWork) {}

  async run(): Promise<void> {
    await deleteInBatches(this.unitOfWork, CLEAN_SIGHTINGS, BATCH, KEPT_DAYS);
    await deleteInBatches(this.unitOfWork, CLEAN_COUNTERS, BATCH, KEPT_DAYS);
    await deleteInBatches(this.unitOfWork, CLEAN_BLOCKS, BATCH);
  }
}
