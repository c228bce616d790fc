import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ChainHealth } from '../chains/chain-health';
import { RiskEngine } from '../fraud/assessments/risk-engine';
import { CountryLookup } from '../fraud/geo/country-lookup';
import { Problem } from '../platform/http/problem';
import { JobQueue } from '../platform/jobs/job-queue';
import { RedisLink } from '../platform/security/limits/redis-link';

/** `degraded`: it works on without this part, less well. `off`: the operator does not want this part, or has not set it up. */
type Check = 'ok' | 'degraded' | 'off';

/** Tells whether this instance may be sent traffic. */
@Injectable()
export class Readiness {
  constructor(
    private readonly dataSource: DataSource,
    private readonly jobs: JobQueue,
    private readonly redis: RedisLink,
    private readonly chain: ChainHealth,
    private readonly risk: RiskEngine,
    private readonly countries: CountryLookup,
  ) {}

  /**
   * All checks are "ok", or a 503 names those that are not. Redis is the exception: while it is away every instance counts limits
   * for itself and serves on. All of them lose it at the same moment, so a 503 would take the whole gateway out of the load
   * balancer and turn a looser limit into an outage; it is shown as "degraded" instead, and told as a security event.
   * The same goes for the view of the chain: while it is stale, payments on chain wait, and all others go on. Countries that are "off"
   * are no fault: rules about them are not looked at, and whoever thinks that they are can see it here.
   */
  async check(): Promise<{ status: 'ok'; checks: Record<string, Check> }> {
    const migrated = await this.isMigrated();
    const checks = { database: migrated !== undefined, migrations: migrated === true, queue: this.jobs.isRunning };
    const failing = Object.entries(checks).filter(([, ok]) => !ok).map(([name]) => name);
    if (failing.length > 0) throw new Problem('not_ready', `Not ready: ${failing.join(', ')}.`, { headers: { 'retry-after': '5' } });
    const parts = { ...this.redisCheck(), ...this.chainCheck(), fraud_detection: this.risk.enabled ? 'ok' : 'off', geoip: this.countries.state } as const;
    return { status: 'ok', checks: { database: 'ok', migrations: 'ok', queue: 'ok', ...parts } };
  }

  /** Nothing where no Redis is set. */
  private redisCheck(): { redis?: Check } {
    if (this.redis.state === 'unused') return {};
    return { redis: this.redis.state === 'ok' ? 'ok' : 'degraded' };
  }

  /** Nothing where no source of the chain is set. */
  private chainCheck(): { chain?: Check } {
    const { state } = this.chain;
    return state === 'unused' ? {} : { chain: state };
  }

  /** undefined when the database does not answer. */
  private async isMigrated(): Promise<boolean | undefined> {
    try {
      return !(await this.dataSource.showMigrations());
    } catch {
      return undefined;
    }
  }
}
