import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RefusalRecorder } from '../platform/http/problem.filter';
import type { Problem } from '../platform/http/problem';
import { contextIfAny, type RequestContext } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';
import { Metrics } from '../platform/observability/metrics';
import { maskSecrets, shownUserAgent } from '../platform/security/crypto/masking';
import type { SecurityEvent, SecurityEvents } from '../platform/security/security-events';
import { API_ERROR, API_ERROR_SEVERITY, isApiError, REFUSALS_KEPT, securityEventOf } from './security-event-kinds';

const MINUTE_MS = 60_000;
/** So many different sources and kinds a minute are told apart; all further ones share a row for each kind. */
const MAX_ROWS = 10_000;
const OTHERS = 'others';

/** One row of the table as this instance knows it. */
interface Row {
  minute: number;
  kind: string;
  source: string;
  stored: boolean;
  /** Seen since it was written, not yet added to its count. */
  more: number;
  /** What is still to be written, a moment after it happened. */
  waiting?: { id: string; event: SecurityEvent; at: Date; context?: RequestContext };
}

/**
 * The log of what was refused or looked wrong. The first of a kind from a source in a minute is written before the answer
 * leaves; further ones are counted in memory and added a second later, so that a flood costs one row, not the disk.
 */
@Injectable()
export class SecurityLog implements RefusalRecorder, SecurityEvents, BeforeApplicationShutdown {
  private readonly logger = new Logger(SecurityLog.name);
  private readonly rows = new Map<string, Row>();
  private flushing?: Promise<void>;
  private readonly flusher = setInterval(() => void this.flush(), 1_000).unref();

  constructor(
    private readonly dataSource: DataSource,
    private readonly metrics: Metrics,
  ) {
    // Shown as nought from the start, so that the first one is seen as a rise.
    const shown = [...Object.values(REFUSALS_KEPT), { kind: API_ERROR, severity: API_ERROR_SEVERITY }];
    for (const { kind, severity } of shown) metrics.increment('cpgateway_security_events_total', { severity, kind }, 0);
  }

  /** Records a refusal by a guard or a handler, if it is of a kind that the log keeps, and a failure of ours. */
  async record(problem: Problem, request: Parameters<RefusalRecorder['record']>[1]): Promise<void> {
    if (isApiError(problem)) {
      this.noteError(problem, request);
      return;
    }
    const kept = securityEventOf(problem, request.route);
    if (!kept) return;
    const context = contextIfAny();
    await this.write({
      ...kept,
      source: context?.session?.personId ?? context?.key?.keyId ?? request.ip,
      clientId: context?.access?.clientId,
      actorId: context?.session?.personId ?? context?.key?.keyId,
      route: `${request.method} ${request.route}`,
      userAgent: request.userAgent,
      action: `refused with ${problem.status} ${problem.code}`,
      details: { ip: request.ip },
    });
  }

  /** Records an event. A failure to write is logged and never changes what the caller is told. */
  async write(event: SecurityEvent): Promise<void> {
    const { row, key, isNew } = this.rowOf(event);
    if (!isNew) return;
    try {
      await this.insert({ id: newId('sev'), event: { ...event, source: row.source }, at: new Date(), context: contextIfAny() }, row.minute);
      row.stored = true;
    } catch (error) {
      this.rows.delete(key);
      this.logger.error({ err: error, msg: `could not keep the security event ${event.kind}` });
    }
  }

  /**
   * An answer of 500 or more, by route. Most often it is the database that fails, so nobody waits for this and no request adds a statement
   * of its own: it is written with the counts, one statement at a time, and kept until the database takes it.
   */
  private noteError(problem: Problem, { method, route, ip, userAgent }: Parameters<RefusalRecorder['record']>[1]): void {
    const event: SecurityEvent = {
      kind: API_ERROR, severity: API_ERROR_SEVERITY, source: `${method} ${route}`, route: `${method} ${route}`, userAgent,
      action: `answered ${problem.status} ${problem.code}`, details: { ip, code: problem.code },
    };
    const { row, isNew } = this.rowOf(event);
    if (isNew) row.waiting = { id: newId('sev'), event: { ...event, source: row.source }, at: new Date(), context: contextIfAny() };
  }

  /** The row of this minute that an event belongs to. One more of what is known is counted there. */
  private rowOf({ kind, severity, source: from }: SecurityEvent): { row: Row; key: string; isNew: boolean } {
    this.metrics.increment('cpgateway_security_events_total', { severity, kind });
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const keyOf = (source: string) => [minute, kind, source].join(' ');
    const source = this.rows.size < MAX_ROWS || this.rows.has(keyOf(from)) ? from : OTHERS;
    const key = keyOf(source);
    const known = this.rows.get(key);
    if (known) {
      known.more += 1;
      return { row: known, key, isNew: false };
    }
    const row: Row = { minute, kind, source, stored: false, more: 0 };
    this.rows.set(key, row);
    return { row, key, isNew: true };
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.flusher);
    // What came after one that is under way had read its rows needs another.
    await this.flushing;
    await this.flush();
  }

  private async insert({ id, event, at, context }: NonNullable<Row['waiting']>, minute: number): Promise<void> {
    await this.dataSource.query(
      `insert into security_events (id, minute, kind, severity, source, client_id, actor_id, route, user_agent, request_id,
                                    api_version, action, details, occurred_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
       on conflict (minute, kind, source) do update set count = security_events.count + 1, last_at = now()`,
      [id, new Date(minute), event.kind, event.severity, event.source, event.clientId, event.actorId, event.route,
        shownUserAgent(event.userAgent), context?.requestId, context?.apiVersion, event.action,
        JSON.stringify(maskSecrets(event.details ?? {})), at],
    );
  }

  /** One at a time: two that overlap would count the same rows twice. */
  private flush(): Promise<void> {
    this.flushing ??= this.flushOnce().finally(() => { this.flushing = undefined; });
    return this.flushing;
  }

  private async flushOnce(): Promise<void> {
    await this.writeWaiting();
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    for (const [key, row] of this.rows) if (row.minute < minute && row.stored && row.more === 0) this.rows.delete(key);
    // A row that is still being written cannot be found yet; its further ones are added next time.
    const counted = [...this.rows.values()].filter(({ stored, more }) => stored && more > 0).map((row) => ({ row, count: row.more }));
    if (counted.length === 0) return;
    try {
      await this.dataSource.query(
        `update security_events e set count = e.count + x.count, last_at = now()
           from jsonb_to_recordset($1) as x (minute timestamptz, kind text, source text, count bigint)
          where e.minute = x.minute and e.kind = x.kind and e.source = x.source`,
        [JSON.stringify(counted.map(({ row: { minute: at, kind, source }, count }) => ({ minute: new Date(at), kind, source, count })))],
      );
      for (const { row, count } of counted) row.more -= count;
    } catch (error) {
      this.logger.error({ err: error, msg: `could not count ${counted.length} repeated security events` });
    }
  }

  /** The first that cannot be written ends it: the database is away, and all of them stay for the next second. */
  private async writeWaiting(): Promise<void> {
    const waiting = [...this.rows.values()].filter((row) => row.waiting);
    for (const row of waiting) {
      try {
        await this.insert(row.waiting!, row.minute);
      } catch (error) {
        this.logger.error({ err: error, msg: `could not keep ${waiting.length} failed requests as security events yet` });
        return;
      }
      row.waiting = undefined;
      row.stored = true;
    }
  }
}
