import { Injectable, type OnModuleInit } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { idLowerBound } from '../../platform/identifiers';
import { type SummarySection, SummarySections, type SummaryWindow } from '../../platform/observability/summary-sections';

/** Along the primary key, whose ids begin with their time. */
const RAISED = `
  select coalesce(jsonb_agg(jsonb_build_object('rule', n.rule, 'severity', n.severity, 'status', n.status, 'count', n.count) order by n.rule, n.status), '[]') as raised
    from (select rule, severity, status, count(*)::int as count from alerts where id >= $1 and id < $2 group by 1, 2, 3) n`;

/** What alerts add to the summary for staff. */
@Injectable()
export class AlertsSummary implements SummarySection, OnModuleInit {
  readonly name = 'alerts';

  constructor(
    private readonly sections: SummarySections,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onModuleInit(): void {
    this.sections.register(this);
  }

  async read({ from, to }: SummaryWindow): Promise<object> {
    const [row] = await this.unitOfWork.read<{ raised: object[] }>('', RAISED, [idLowerBound('alr', from), idLowerBound('alr', to)]);
    return { raised: row!.raised };
  }
}
