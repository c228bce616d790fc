import { Injectable } from '@nestjs/common';
import { auditParameter } from '../../audit/audit-event';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { APPLY_JOB, type InboxStatus } from './inbox-event';

const REPLAYABLE = ['received', 'failed', 'quarantined'] as const satisfies readonly InboxStatus[];

/** Which events to put into the queue again: one by its name, or the oldest of a status. */
export type ReplayCommand =
  | { source: string; eventId: string }
  | { status: (typeof REPLAYABLE)[number]; limit: number };

/** An event that was put into the queue again, and how it stood before. */
export interface ReplayedEvent {
  source: string;
  eventId: string;
  previousStatus: InboxStatus;
}

interface ChosenRow {
  source: string;
  event_id: string;
  status: InboxStatus;
}

/**
 * Puts stored events into the queue again, for the operator. Harmless however often it is done: an event is settled once,
 * and money that was credited, or kept as an unmatched deposit, is recognised by the provider's reference and not taken twice.
 */
@Injectable()
export class ReplayInbox {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Answers what was queued, oldest first; nothing when no event has the status. Audited as `webhook.replayed` by the
   * context's actor. Throws NotFoundProblem, or Problem `state_conflict` for an event that was applied or needs nothing.
   */
  async replay(command: ReplayCommand): Promise<ReplayedEvent[]> {
    return this.unitOfWork.run(async (tx) => {
      const chosen = 'eventId' in command ? [await findOne(tx, command)] : await findOldest(tx, command);
      if (chosen.length > 0) await queueAgain(tx, chosen);
      return chosen.map((row) => ({ source: row.source, eventId: row.event_id, previousStatus: row.status }));
    });
  }
}

async function findOne(tx: Tx, { source, eventId }: { source: string; eventId: string }): Promise<ChosenRow> {
  const [row] = await tx.query<ChosenRow>(
    'select source, event_id, status from inbox_events where source = $1 and event_id = $2 for update', [source, eventId],
  );
  if (!row) throw new NotFoundProblem('webhook event');
  if (!REPLAYABLE.some((status) => status === row.status)) {
    throw new Problem('state_conflict', `The event is ${row.status}. Only events that are ${REPLAYABLE.join(', ')} can be replayed.`);
  }
  return row;
}

/** Events that are being applied at this moment need no replay and are left out. */
function findOldest(tx: Tx, { status, limit }: { status: InboxStatus; limit: number }): Promise<ChosenRow[]> {
  return tx.query<ChosenRow>(
    // The status is one of three words of our own; written out, it lets the partial index be used.
    `select source, event_id, status from inbox_events where status = '${status}' order by received_at limit $1 for update skip locked`, [limit],
  );
}

async function queueAgain(tx: Tx, chosen: readonly ChosenRow[]): Promise<void> {
  await tx.query(
    `update inbox_events i set status = 'received', outcome = null, applied_at = null
       from jsonb_to_recordset($1) as c (source text, event_id text)
      where i.source = c.source and i.event_id = c.event_id and i.status = 'quarantined'`,
    [JSON.stringify(chosen)],
  );
  await tx.query(
    `select graphile_worker.add_job($1, json_build_object('source', i.source, 'event_id', i.event_id, 'payload', i.payload))
       from jsonb_to_recordset($2) as c (source text, event_id text)
       join inbox_events i on i.source = c.source and i.event_id = c.event_id`,
    [APPLY_JOB, JSON.stringify(chosen)],
  );
  const changes = chosen.map(({ source, event_id: eventId, status }) => ({
    kind: 'webhook.replayed', objectId: `${source}:${eventId}`, before: { status }, after: { status: status === 'quarantined' ? 'received' : status },
  }));
  await tx.query('select write_audit($1)', [auditParameter(undefined, changes)]);
}
