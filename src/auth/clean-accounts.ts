import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log';
import { deleteInBatches, untilDone } from '../platform/database/batches';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { Job, type JobHandler } from '../platform/jobs/job-queue';
import { bookOf } from './people/person-presenter';

/** What has ended is kept so long for whoever looks into a theft. */
const SESSIONS_KEPT_DAYS = 30;
const BATCH = 2_000;

const CLEAN_LINKS = `
  with old as (
    select token_hash from one_time_tokens where expires_at < now() limit $1 for update skip locked
  ), gone as (
    delete from one_time_tokens t using old where t.token_hash = old.token_hash returning 1
  )
  select count(*)::int as gone from gone`;
/** A session that was revoked so long ago has expired too: the index on the end finds all candidates. Refresh tokens go with it. */
const CLEAN_SESSIONS = `
  with old as (
    select id from sessions
     where expires_at < now() and least(revoked_at, expires_at) < now() - make_interval(days => ${SESSIONS_KEPT_DAYS}) limit $1
       for update skip locked
  ), gone as (
    delete from sessions s using old where s.id = old.id returning 1
  )
  select count(*)::int as gone from gone`;
/** A session in use leaves one behind every quarter of an hour. Whoever comes with one so old is refused like a stranger. */
const CLEAN_REFRESH_TOKENS = `
  with old as (
    select token_hash from refresh_tokens where used_at < now() - make_interval(days => ${SESSIONS_KEPT_DAYS}) limit $1 for update skip locked
  ), gone as (
    delete from refresh_tokens t using old where t.token_hash = old.token_hash returning 1
  )
  select count(*)::int as gone from gone`;
/** As long as a browser keeps the cookie. */
const CLEAN_DEVICES = `
  with old as (
    select person_id, device_hash from known_devices where last_seen_at < now() - interval '180 days' limit $1 for update skip locked
  ), gone as (
    delete from known_devices d using old where d.person_id = old.person_id and d.device_hash = old.device_hash returning 1
  )
  select count(*)::int as gone from gone`;
/** Nobody can accept these any more; the address is free again. */
const LAPSE_INVITATIONS = `
  with old as (
    select p.id from people p
     where p.status = 'invited'
       and not exists (
             select 1 from one_time_tokens t
              where t.person_id = p.id and t.purpose = 'invitation' and t.used_at is null and t.expires_at > now())
     limit $1 for update skip locked
  ), lapsed as (
    update people p set status = 'removed', revision = p.revision + 1, updated_at = now()
      from old where p.id = old.id returning p.id, p.client_id
  )
  select id, client_id as "clientId" from lapsed`;

/** Forgets links and sessions that have ended, and invitations that nobody accepted. */
@Injectable()
@Job('accounts.clean')
export class CleanAccounts implements JobHandler {
  readonly job = 'accounts.clean';
  readonly schedule = '47 * * * *';

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Works batch by batch until nothing is left. Running twice, or at the same time elsewhere, does no harm. */
  async run(): Promise<void> {
    await untilDone(BATCH, () => this.lapseInvitations());
    for (const text of [CLEAN_LINKS, CLEAN_SESSIONS, CLEAN_REFRESH_TOKENS, CLEAN_DEVICES]) {
      await deleteInBatches(this.unitOfWork, text, BATCH);
    }
  }

  private lapseInvitations(): Promise<number> {
    return this.unitOfWork.run(async (tx) => {
      const lapsed = await tx.query<{ id: string; clientId: string | null }>(LAPSE_INVITATIONS, [BATCH]);
      for (const person of lapsed) {
        await this.audit.record(tx, bookOf(person), {
          kind: 'person.removed', objectId: person.id, after: { reason: 'the invitation was not accepted' },
        });
      }
      return lapsed.length;
    });
  }
}
