import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { EventEmitter } from 'node:events';
import { parseCronItems, type Runner, run, type TaskList, type WorkerEvents } from 'graphile-worker';
import { DATABASE_LOCATION, type DatabaseLocation } from '../database/database.module';
import type { Tx } from '../database/unit-of-work';
import { runInContext } from '../http/request-context';
import { newId } from '../identifiers';
import { PatientPool } from './patient-pool';
import { queueLog } from './queue-log';
import { WorkerRegistry } from './worker-registry';

/** Something done later: named, with a payload that went through JSON, run at least once and so written to bear twice. */
export interface JobHandler<Payload = unknown> {
  readonly job: string;
  /** A cron pattern (UTC, five fields) for work that nobody asks for; the payload is then empty. */
  readonly schedule?: string;
  run(payload: Payload, attempt: number): Promise<void>;
}

/** Marks a provider as a job's handler; the queue finds it by itself. */
export const Job = DiscoveryService.createDecorator<string>();

const CONCURRENCY = 8;
/**
 * Jobs are fetched this many at a time and their ends written together: a fifth less work for the database than one by one.
 * What a killed process had fetched is freed by the worker registry; jobs whose end was not written yet run twice.
 */
const FETCHED_AT_ONCE = 32;
const POLL_MS = 1_000;

/**
 * Jobs on PostgreSQL: added in the caller's transaction, run on one of the instances, tried again with growing pauses
 * (graphile-worker: e^attempt seconds, 25 attempts), kept with their last error when they give up.
 */
@Injectable()
export class JobQueue implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(JobQueue.name);
  private readonly workers: WorkerRegistry;
  private readonly pool: PatientPool;
  private runner?: Runner;

  constructor(
    private readonly discovery: DiscoveryService,
    @Inject(DATABASE_LOCATION) database: DatabaseLocation,
  ) {
    this.workers = new WorkerRegistry(database.directUrl);
    this.pool = new PatientPool({ connectionString: database.directUrl, max: CONCURRENCY, application_name: 'cpgateway jobs' });
  }

  /** Adds a job that exists only if the transaction commits. One that waits under the same key is replaced. */
  async add(tx: Tx, job: string, payload: unknown, options: { runAt?: Date; jobKey?: string } = {}): Promise<void> {
    await tx.query('select graphile_worker.add_job($1, $2::json, run_at => $3, job_key => $4)', [
      job, JSON.stringify(payload), options.runAt ?? null, options.jobKey ?? null,
    ]);
  }

  async onApplicationBootstrap(): Promise<void> {
    const handlers = this.handlers();
    if (handlers.length === 0) return;
    const workerIds: string[] = [];
    await this.workers.start();
    this.runner = await run({
      events: watchedEvents(workerIds),
      pgPool: this.pool,
      concurrency: CONCURRENCY,
      pollInterval: POLL_MS,
      preset: { worker: { localQueue: { size: FETCHED_AT_ONCE }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
      // Nest owns the signals; two owners would race each other to the exit.
      noHandleSignals: true,
      taskList: Object.fromEntries(handlers.map((handler) => [handler.job, this.task(handler)])),
      parsedCronItems: parseCronItems(
        handlers.flatMap(({ job, schedule }) => (schedule ? [{ task: job, match: schedule, identifier: job }] : [])),
      ),
      logger: queueLog,
    });
    this.pool.patient = true;
    await this.workers.add(workerIds);
    this.runner.promise
      .catch((error: unknown) => this.logger.error({ err: error, msg: 'the job queue stopped' }))
      .finally(() => { this.runner = undefined; });
  }

  /** Stops taking jobs and waits for those under way; runs before the pool is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    this.pool.patient = false;
    await this.runner?.stop().catch((error: unknown) => this.logger.warn({ err: error, msg: 'the job queue did not stop cleanly' }));
    await this.pool.end();
    await this.workers.stop();
  }

  /** Whether jobs are being taken, for readiness. */
  get isRunning(): boolean {
    return this.runner !== undefined;
  }

  private handlers(): JobHandler[] {
    return this.discovery
      .getProviders({ metadataKey: Job.KEY })
      .map(({ instance }) => instance as JobHandler);
  }

  private task(handler: JobHandler): TaskList[string] {
    return async (payload, helpers) => {
      const context = { requestId: newId('req'), actor: { type: 'system' as const, id: handler.job }, route: handler.job, startedAt: performance.now() };
      await runInContext(context, async () => {
        try {
          await handler.run(payload, helpers.job.attempts);
        } catch (error) {
          this.logger.warn({ err: error, msg: `job ${handler.job} failed`, attempt: helpers.job.attempts, of: helpers.job.max_attempts });
          throw error;
        }
      });
    };
  }
}

/** Collects the names in which jobs are taken: each worker's own, and the pool's for those fetched in batches. */
function watchedEvents(workerIds: string[]): WorkerEvents {
  const events: WorkerEvents = new EventEmitter();
  events.on('pool:create', ({ workerPool }) => workerIds.push(workerPool.id));
  events.on('worker:create', ({ worker }) => workerIds.push(worker.workerId));
  return events;
}
