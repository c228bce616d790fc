import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Sweeper } from '../../platform/jobs/sweeper';
import { Metrics } from '../../platform/observability/metrics';
import { completeness, CurrentFigures, type Figures } from './current-figures';

const EVERY_MS = 10_000;
const AUDITED_MS = 15 * 60_000;
const AUDITED_AT_MOST = 1_000;

/** Keeps the figures that come from the database in memory, so that being scraped costs the database nothing and never waits for it. */
@Injectable()
export class RefreshFigures implements OnApplicationBootstrap {
  constructor(
    private readonly sweeper: Sweeper,
    private readonly figures: CurrentFigures,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every('metrics.refresh', EVERY_MS, () => this.refresh());
    this.sweeper.poke('metrics.refresh');
  }

  /** Reads all figures now. While the database is away they stay as they were, and their timestamp tells how old they are. */
  async refresh(): Promise<boolean> {
    const figures = await this.figures.read(new Date(Date.now() - AUDITED_MS), AUDITED_AT_MOST);
    this.showQueues(figures);
    this.showPeople(figures);
    this.showProofs(figures);
    this.metrics.set('cpgateway_figures_timestamp_seconds', {}, Date.now() / 1000);
    return false;
  }

  private showQueues({ jobs: { ready_age_seconds: age, ...jobs }, inbox, deliveries, withdrawals }: Figures): void {
    for (const [state, count] of Object.entries(jobs)) this.metrics.set('cpgateway_jobs', { state }, count);
    this.metrics.set('cpgateway_job_ready_age_seconds', {}, age);
    for (const [status, count] of Object.entries(inbox)) this.metrics.set('cpgateway_inbox_events', { status }, count);
    for (const [state, count] of Object.entries(deliveries)) this.metrics.set('cpgateway_webhook_deliveries_pending', { state }, count);
    for (const { status, livemode, count } of withdrawals) {
      this.metrics.set('cpgateway_withdrawals_waiting', { status, mode: livemode ? 'live' : 'test' }, count);
    }
  }

  private showPeople({ sessions: { total, most, people }, blocked }: Figures): void {
    this.metrics.set('cpgateway_sessions', {}, total);
    this.metrics.set('cpgateway_sessions_per_person_max', {}, most);
    for (const [sessions, count] of Object.entries(people)) this.metrics.set('cpgateway_people_signed_in', { sessions }, count);
    this.metrics.set('cpgateway_blocked_addresses', {}, blocked);
  }

  private showProofs({ audit, ledger }: Figures): void {
    for (const [subject, sample] of Object.entries(audit)) {
      this.metrics.set('cpgateway_audit_completeness_ratio', { subject }, completeness(sample));
    }
    this.metrics.set('cpgateway_ledger_check_ok', {}, ledger?.ok ? 1 : 0);
    this.metrics.set('cpgateway_ledger_check_timestamp_seconds', {}, ledger?.at_seconds ?? 0);
    this.metrics.set('cpgateway_ledger_check_duration_seconds', {}, (ledger?.duration_ms ?? 0) / 1000);
  }
}
