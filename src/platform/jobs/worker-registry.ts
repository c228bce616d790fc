import { randomInt } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';

/** The first half of the advisory lock that each living instance holds; any constant that nobody else uses. */
const INSTANCE_LOCK = 730_522;
const CHECK_MS = 10_000;

const FREE_THE_DEAD = `
  with dead as (
    delete from job_workers w
     where not exists (
       select from pg_locks l
        where l.locktype = 'advisory' and l.classid = $1 and l.objid = w.instance::oid and l.objsubid = 2 and l.granted
          and l.database = (select oid from pg_database where datname = current_database()))
    returning worker_id
  )
  select graphile_worker.force_unlock_workers(array_agg(worker_id)), count(*)::int as freed from dead having count(*) > 0`;

/**
 * Frees the jobs of workers whose process is gone. The queue by itself would hold them for four hours. Each instance
 * holds a session lock under its own number for as long as it lives; PostgreSQL lets it go when the connection dies,
 * however the process ended, and any other instance, or the next start, then frees what it had taken.
 */
export class WorkerRegistry {
  private readonly logger = new Logger(WorkerRegistry.name);
  private readonly instance = randomInt(1, 2 ** 31 - 1);
  private readonly workers = new Set<string>();
  private client?: Client;
  private timer?: NodeJS.Timeout;
  private stopped = false;

  constructor(private readonly url: string) {}

  /** Announces this instance and frees what dead ones left behind. */
  async start(): Promise<void> {
    await this.connect();
    await this.freeTheDead();
    this.timer = setInterval(() => void this.tick(), CHECK_MS).unref();
  }

  /** Notes the workers of this instance, in whose names jobs will be taken. */
  async add(workerIds: Iterable<string>): Promise<void> {
    for (const id of workerIds) this.workers.add(id);
    await this.note();
  }

  /** Takes this instance's workers off the list; they have given their jobs back by now. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.client?.query('delete from job_workers where instance = $1', [this.instance]).catch(() => undefined);
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client({ connectionString: this.url, application_name: 'cpgateway instance', keepAlive: true });
    // Losing the connection is losing the lock; the next tick takes both up again.
    client.on('error', () => {
      if (this.client === client) this.client = undefined;
    });
    await client.connect();
    await client.query('select pg_advisory_lock($1, $2)', [INSTANCE_LOCK, this.instance]);
    this.client = client;
    await this.note();
  }

  private async tick(): Promise<void> {
    try {
      if (!this.client && !this.stopped) await this.connect();
      await this.freeTheDead();
    } catch (error) {
      this.logger.warn({ err: error, msg: 'could not look after the jobs of dead workers; will try again' });
    }
  }

  private async note(): Promise<void> {
    await this.client?.query(
      'insert into job_workers (worker_id, instance) select unnest($1::text[]), $2 on conflict do nothing',
      [[...this.workers], this.instance],
    );
  }

  private async freeTheDead(): Promise<void> {
    const freed = await this.client?.query<{ freed: number }>(FREE_THE_DEAD, [INSTANCE_LOCK]);
    if (freed?.rows[0]) this.logger.warn(`freed the jobs of ${freed.rows[0].freed} workers whose process is gone`);
  }
}
