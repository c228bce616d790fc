import { Injectable, type OnModuleInit } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { type SummarySection, SummarySections, type SummaryWindow } from '../platform/observability/summary-sections';
import { RiskEngine } from './assessments/risk-engine';

/** What was noticed, along a partial index; what waits, along the queue's. Counting stops at 10,000. */
const NOTICED = `
  select (select coalesce(jsonb_agg(jsonb_build_object('subject', n.subject, 'decision', n.decision, 'count', n.count) order by n.subject, n.decision), '[]')
            from (select subject, decision, count(*)::int as count from risk_assessments
                   where decision <> 'allow' and created_at >= $1 and created_at < $2 group by 1, 2) n) as noticed,
         (select count(*)::int from (select from risk_reviews where status = 'open' limit 10000) r) as "openReviews",
         (select count(*)::int from (select from risk_guard_blocks where blocked_until > now() limit 10000) b) as "stoppedNow",
         (select coalesce(jsonb_object_agg(l.label, l.count), '{}')
            from (select label, count(*)::int as count from risk_labels where created_at >= $1 and created_at < $2 group by 1) l) as labels`;

/** What the fraud detection adds to the summary for staff. */
@Injectable()
export class FraudSummary implements SummarySection, OnModuleInit {
  readonly name = 'fraud';

  constructor(
    private readonly sections: SummarySections,
    private readonly unitOfWork: UnitOfWork,
    private readonly engine: RiskEngine,
  ) {}

  onModuleInit(): void {
    this.sections.register(this);
  }

  async read({ from, to }: SummaryWindow): Promise<object> {
    const [row] = await this.unitOfWork.read<{ noticed: object[]; openReviews: number; stoppedNow: number; labels: object }>('', NOTICED, [from, to]);
    const { noticed, openReviews, stoppedNow, labels } = row!;
    return { enabled: this.engine.enabled, noticed, open_reviews: openReviews, stopped_by_guards_now: stoppedNow, labels };
  }
}
