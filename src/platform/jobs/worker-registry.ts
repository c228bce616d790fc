import { randomInt } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';

/** The first half of the advisory lock that each living instance holds; any constant that nobody else uses. */
const INSTANCE_LOCK = 730_522;
const CHECK_MS = 5_000;
const RECONNECT_MS = 500;

/** A host that vanishes closes no connection; this way the server notices within half a minute and lets the lock go. */
const KEEPALIVES = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3';

/**
 * Frees the jobs of workers whose process is gone. The queue by itself would hold them for four hours. Each instance
 * holds a session lock under its own number for as long as it lives; PostgreSQL lets it go when the connection dies,
 * however the process ended, and any other instance, or the next start, then frees what it had taken.
 */
export class WorkerRegistry {
  private readonly logger = new Logger(WorkerRegistry.name);
  private readonly instance = randomInt(1, 2 ** 31 - 1);
  private readonly workers = new Set<string>();
  /** Without a lock when last looked: only who has none at two looks is dead, so that a living one has the time to reconnect. */
  private suspects: ReadonlySet<string> = new Set();
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
    const client = new Client({ connectionString: this.url, application_name: 'cpgateway instance', keepAlive: true, options: KEEPALIVES });
    // Losing the connection is losing the lock; the next tick takes both up again.
    client.on('error', () => {
      if (this.client !== client) return;
      this.client = undefined;
      this.reconnectSoon();
    });
    await client.connect();
    await client.query('select pg_advisory_lock($1, $2)', [INSTANCE_LOCK, this.instance]);
    this.client = client;
    // What was fetched when the connections broke may have been fetched for nobody. Jobs bear being run twice, not being forgotten.
    if (this.workers.size > 0) await client.query('select graphile_worker.force_unlock_workers($1)', [[...this.workers]]);
    await this.note();
  }

  private async tick(): Promise<void> {
    try {
      await this.freeTheDead();
    } catch (error) {
      this.logger.warn({ err: error, msg: 'could not look after the jobs of dead workers; will try again' });
    }
  }

  private reconnectSoon(): void {
    if (this.stopped) return;
    setTimeout(() => {
      if (!this.client && !this.stopped) this.connect().catch(() => this.reconnectSoon());
    }, RECONNECT_MS).unref();
  }

  private async note(): Promise<void> {
    await this.client?.query(
      'insert into job_workers (worker_id, instance) select unnest($1::text[]), $2 on conflict do nothing',
      [[...this.workers], this.instance],
    );
  }

  private async freeTheDead(): Promise<void> {
    if (!this.client) return;
    const { rows } = await this.client.query<{ worker_id: string }>('select worker_id from lockless_workers($1)', [INSTANCE_LOCK]);
    const lockless = rows.map((row) => row.worker_id);
    const dead = lockless.filter((id) => this.suspects.has(id));
    this.suspects = new Set(lockless);
    if (dead.length === 0) return;
    const freed = await this.client?.query<{ count: number }>('select free_dead_workers($1, $2) as count', [INSTANCE_LOCK, dead]);
    if (freed?.rows[0]?.count) this.logger.warn(`freed the jobs of ${freed.rows[0].count} workers whose process is gone`);
  }
}
