import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { presentReview, ReviewReader, type ReviewRow } from './review-reader';
import { ReviewSubjects } from './review-subjects';
import type { ReviewObject } from './reviews.dto';

const DECIDE = `
  with decided as (
    update risk_reviews set status = $4, reason = $5, decided_by = $6, decided_at = now()
     where client_id = $1 and livemode = $2 and subject_id = $3 and status = 'open' returning 1)
  select 1 from decided`;
/** The last word counts: a dispute may later say otherwise. */
const LABEL = `
  insert into risk_labels (client_id, livemode, subject_id, label, source, labelled_by) values ($1, $2, $3, $4, 'review', $5)
  on conflict (client_id, livemode, subject_id) do update
    set label = excluded.label, source = excluded.source, labelled_by = excluded.labelled_by, created_at = clock_timestamp()`;

const LABELS = { released: 'legitimate', rejected: 'fraud' } as const;

/** What an analyst decides about something that was held. What it turned out to be is kept for learning. */
@Injectable()
export class DecideReview {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reviews: ReviewReader,
    private readonly subjects: ReviewSubjects,
    private readonly audit: AuditLog,
  ) {}

  /** Lets it go on its way: held money becomes available, a withdrawal can be approved. 409 when it was decided or ended before. */
  release(id: string, reason: string): Promise<ReviewObject> {
    return this.decide(id, 'released', reason);
  }

  /** Ends it: a payment is canceled and its money waits to be given back, a withdrawal's hold is let go. 409 as above. */
  reject(id: string, reason: string): Promise<ReviewObject> {
    return this.decide(id, 'rejected', reason);
  }

  /** The object is changed first and the review last: whoever ends an object by other ways does it in the same order. */
  private decide(id: string, status: 'released' | 'rejected', reason: string): Promise<ReviewObject> {
    const { personId } = currentSession();
    return this.unitOfWork.run(async (tx) => {
      const before = await this.reviews.findIn(tx, id);
      refuseDecided(before);
      const { client_id: clientId, livemode, subject } = before;
      const book = { clientId, livemode };
      const feature = this.subjects.of(subject);
      if (status === 'released') await feature.release(tx, book, id);
      else await feature.reject(tx, book, id, reason);
      const written = await tx.query(DECIDE, [clientId, livemode, id, status, reason, personId]);
      if (written.length === 0) refuseDecided(await this.reviews.findIn(tx, id));
      await tx.query(LABEL, [clientId, livemode, id, LABELS[status], personId]);
      await this.audit.record(tx, book, { kind: `review.${status}`, objectId: id, before: { status: before.status }, after: { status, reason, label: LABELS[status] } });
      return presentReview(await this.reviews.findIn(tx, id));
    });
  }
}

function refuseDecided({ status }: ReviewRow): void {
  if (status === 'open') return;
  throw new Problem('state_conflict', status === 'closed' ? 'This has ended before anybody decided.' : `This was ${status} before.`);
}
