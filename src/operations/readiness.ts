import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Problem } from '../platform/http/problem';
import { JobQueue } from '../platform/jobs/job-queue';

/** Tells whether this instance may be sent traffic. */
@Injectable()
export class Readiness {
  constructor(
    private readonly dataSource: DataSource,
    private readonly jobs: JobQueue,
  ) {}

  /** All checks are "ok", or a 503 names those that are not. */
  async check(): Promise<{ status: 'ok'; checks: Record<string, 'ok'> }> {
    const migrated = await this.isMigrated();
    const checks = { database: migrated !== undefined, migrations: migrated === true, queue: this.jobs.isRunning };
    const failing = Object.entries(checks).filter(([, ok]) => !ok).map(([name]) => name);
    if (failing.length > 0) throw new Problem('not_ready', `Not ready: ${failing.join(', ')}.`, { headers: { 'retry-after': '5' } });
    return { status: 'ok', checks: { database: 'ok', migrations: 'ok', queue: 'ok' } };
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
