import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RefusalRecorder } from '../platform/http/problem.filter';
import type { Problem } from '../platform/http/problem';
import { contextIfAny } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';
import { maskSecrets, shownUserAgent } from '../platform/security/crypto/masking';
import type { SecurityEvent, SecurityEvents } from '../platform/security/security-events';
import { securityEventOf } from './security-event-kinds';

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

  constructor(private readonly dataSource: DataSource) {}

  /** Records a refusal by a guard or a handler, if it is of a kind that the log keeps. */
  async record(problem: Problem, request: Parameters<RefusalRecorder['record']>[1]): Promise<void> {
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
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const keyOf = (source: string) => [minute, event.kind, source].join(' ');
    const source = this.rows.size < MAX_ROWS || this.rows.has(keyOf(event.source)) ? event.source : OTHERS;
    const known = this.rows.get(keyOf(source));
    if (known) {
      known.more += 1;
      return;
    }
    const row: Row = { minute, kind: event.kind, source, stored: false, more: 0 };
    this.rows.set(keyOf(source), row);
    try {
      await this.insert({ ...event, source }, minute);
      row.stored = true;
    } catch (error) {
      this.rows.delete(keyOf(source));
      this.logger.error({ err: error, msg: `could not keep the security event ${event.kind}` });
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.flusher);
    await this.flush();
  }

  private async insert(event: SecurityEvent, minute: number): Promise<void> {
    const context = contextIfAny();
    await this.dataSource.query(
      `insert into security_events (id, minute, kind, severity, source, client_id, actor_id, route, user_agent, request_id,
                                    api_version, action, details)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       on conflict (minute, kind, source) do update set count = security_events.count + 1, last_at = now()`,
      [newId('sev'), new Date(minute), event.kind, event.severity, event.source, event.clientId, event.actorId, event.route,
        shownUserAgent(event.userAgent), context?.requestId, context?.apiVersion, event.action,
        JSON.stringify(maskSecrets(event.details ?? {}))],
    );
  }

  /** One at a time: two that overlap would count the same rows twice. */
  private flush(): Promise<void> {
    this.flushing ??= this.flushOnce().finally(() => { this.flushing = undefined; });
    return this.flushing;
  }

  private async flushOnce(): Promise<void> {
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
}
