import { Injectable } from '@nestjs/common';
import { API_ERROR, REFUSALS_KEPT } from '../../audit/security-event-kinds';
import { isCurrency } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { SummarySections } from '../../platform/observability/summary-sections';
import { completeness, CurrentFigures, type Figures } from '../figures/current-figures';
import type { Amounts, SummaryObject, SummaryQuery } from './summary.dto';
import { type AmountRow, type WindowFigures, WindowReader } from './window-figures';

const HOUR_MS = 3_600_000;
const AUDITED_AT_MOST = 10_000;
/** The kinds under which events of providers are refused. */
const WEBHOOK_REFUSALS: ReadonlySet<string> = new Set(Object.values(REFUSALS_KEPT).map(({ kind }) => kind).filter((kind) => kind.startsWith('webhook.')));

/** How the gateway did over the last hours, for staff: the figures of the metrics, over a window and without a Prometheus. */
@Injectable()
export class Summary {
  constructor(
    private readonly current: CurrentFigures,
    private readonly window: WindowReader,
    private readonly sections: SummarySections,
  ) {}

  /** Two round trips beside each other, and one for each section that another room has added. */
  async of({ hours }: SummaryQuery): Promise<SummaryObject> {
    // What was made within this millisecond belongs to it.
    const to = new Date(Date.now() + 1);
    const from = new Date(to.getTime() - hours * HOUR_MS);
    const [now, then, more] = await Promise.all([
      this.current.read(from, AUDITED_AT_MOST), this.window.read({ from, to }), this.sections.read({ from, to }),
    ]);
    return {
      ...more,
      object: 'summary', hours, from: from.toISOString(), to: to.toISOString(),
      ...protection(now, then), ...money(then), webhooks: webhooks(then), ...proofs(now, to), queues: queues(now),
    };
  }
}

function protection({ sessions, blocked }: Figures, { events, blocks }: WindowFigures) {
  const sum = (wanted: (event: WindowFigures['events'][number]) => boolean) => events.filter(wanted).reduce((total, { count }) => total + count, 0);
  const ofKind = (name: string) => sum(({ kind }) => kind === name);
  const ofSeverity = (name: string) => sum(({ severity }) => severity === name);
  return {
    failed_logins: { passwords: ofKind('login.failed'), second_factors: ofKind('two_factor.failed') },
    addresses: {
      blocked_now: blocked, blocked_by_gateway: blocks.by_gateway, blocked_by_people: blocks.by_people, refused: ofKind('ip.refused'),
    },
    sessions: { open: sessions.total, most_of_one_person: sessions.most },
    rate_limit_hits: ofKind(REFUSALS_KEPT.rate_limited.kind),
    api_errors: ofKind(API_ERROR),
    security_events: {
      by_severity: { low: ofSeverity('low'), medium: ofSeverity('medium'), high: ofSeverity('high'), critical: ofSeverity('critical') },
      by_kind: events,
    },
  };
}

/** What the fraud rules thought of withdrawals that were asked for; those that they stopped are no rows and stand in the section `fraud`. */
function money({ payments, withdrawals, risk: { allow = 0, review = 0 } }: WindowFigures) {
  return { payments: payments.map(presentAmounts), withdrawals: withdrawals.map(presentAmounts), withdrawal_risk: { allow, review } };
}

function presentAmounts({ amount_minor: minor, currency, ...row }: AmountRow): Amounts {
  return { ...row, currency, amount: isCurrency(currency) ? formatAmount(BigInt(minor), currency) : minor };
}

function webhooks({ attempts: { delivered, failed }, inbound: { accepted, duplicates }, events }: WindowFigures): SummaryObject['webhooks'] {
  const refused = events.filter(({ kind }) => WEBHOOK_REFUSALS.has(kind)).reduce((total, { count }) => total + count, 0);
  return {
    outbound: { attempts: delivered + failed, delivered, failed, success_rate: ratio(delivered, delivered + failed) },
    inbound: { accepted, duplicates, refused, success_rate: ratio(accepted + duplicates, accepted + duplicates + refused) },
  };
}

function proofs({ audit: { payment, withdrawal, refund }, ledger }: Figures, now: Date): Pick<SummaryObject, 'audit' | 'ledger_check'> {
  const samples = [payment, withdrawal, refund];
  const whole = { checked: total(samples.map(({ checked }) => checked)), missing: total(samples.map(({ missing }) => missing)) };
  return {
    audit: { payments: payment, withdrawals: withdrawal, refunds: refund, completeness: completeness(whole) },
    ledger_check: ledger && {
      ok: ledger.ok,
      at: new Date(ledger.at_seconds * 1000).toISOString(),
      age_seconds: Math.max(0, Math.round(now.getTime() / 1000 - ledger.at_seconds)),
      duration_seconds: ledger.duration_ms / 1000,
    },
  };
}

function queues({ jobs: { ready_age_seconds: oldest, ...jobs }, inbox, deliveries }: Figures): SummaryObject['queues'] {
  return { jobs: { ...jobs, oldest_ready_seconds: Math.round(oldest) }, inbox, deliveries };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
