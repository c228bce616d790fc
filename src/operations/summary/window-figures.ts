import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { idLowerBound } from '../../platform/identifiers';
import type { SummaryWindow } from '../../platform/observability/summary-sections';

/** Objects of one status, mode and currency. */
export interface AmountRow {
  livemode: boolean;
  status: string;
  currency: string;
  count: number;
  amount_minor: string;
}

/** What happened in a window. */
export interface WindowFigures {
  events: { kind: string; severity: 'low' | 'medium' | 'high' | 'critical'; count: number }[];
  payments: AmountRow[];
  withdrawals: AmountRow[];
  risk: Partial<Record<'allow' | 'review' | 'block', number>>;
  attempts: { delivered: number; failed: number };
  inbound: { accepted: number; duplicates: number };
  blocks: { by_gateway: number; by_people: number };
}

const EVENTS = `
  select coalesce(json_agg(e order by e.count desc, e.kind), '[]') from (
    select kind, severity, sum(count) as count from security_events where id >= $1 and id < $2 group by kind, severity) e`;
const amounts = (table: string, amount: string, currency: string, from: number) => `
  select coalesce(json_agg(a order by a.livemode desc, a.status, a.currency), '[]') from (
    select livemode, status, ${currency} as currency, count(*) as count, sum(${amount})::text as amount_minor
      from ${table} where id >= $${from} and id < $${from + 1} group by livemode, status, ${currency}) a`;
const RISK = `
  select coalesce(json_object_agg(r.decision, r.count), '{}') from (
    select risk ->> 'decision' as decision, count(*) as count from withdrawals where id >= $5 and id < $6 group by risk ->> 'decision') r`;
const ATTEMPTS = `
  select json_build_object('delivered', count(*) filter (where response_status between 200 and 299),
                           'failed', count(*) filter (where not coalesce(response_status between 200 and 299, false)))
    from webhook_attempts where started_at >= $9 and started_at < $10 and duration_ms is not null`;
const INBOUND = `
  select json_build_object('accepted', count(*), 'duplicates', coalesce(sum(duplicates), 0))
    from inbox_events where received_at >= $9 and received_at < $10`;
const BLOCKS = `
  select json_build_object('by_gateway', count(*) filter (where level > 0), 'by_people', count(*) filter (where level = 0))
    from ip_blocks where kind = 'block' and id >= $7 and id < $8`;

const ALL = `
  select (${EVENTS}) as events, (${amounts('payments', 'pay_amount_minor', 'pay_currency', 3)}) as payments,
         (${amounts('withdrawals', 'amount_minor', 'currency', 5)}) as withdrawals, (${RISK}) as risk, (${ATTEMPTS}) as attempts,
         (${INBOUND}) as inbound, (${BLOCKS}) as blocks`;

/** Reads what happened in a time: one round trip, each table along an index by id or time. */
@Injectable()
export class WindowReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async read({ from, to }: SummaryWindow): Promise<WindowFigures> {
    const bounds = (['sev', 'pay', 'wd', 'blk'] as const).flatMap((prefix) => [idLowerBound(prefix, from), idLowerBound(prefix, to)]);
    // Without a name: what is a small part of a table for an hour is most of it for a month, and each is planned for itself.
    const [figures] = await this.unitOfWork.read<WindowFigures>('', ALL, [...bounds, from, to]);
    return figures;
  }
}
