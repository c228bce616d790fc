import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { QueryConfig, QueryResultRow } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { Problem } from '../http/problem';
import { currentContext, type RequestContext } from '../http/request-context';
import { type ClaimOutcome, claimParameter, refuseClaim, sealAnswer } from '../idempotency/idempotency';
import { Envelope } from '../security/crypto/envelope';
import { poolOf } from './data-source';
import { SQLSTATE, sqlStateOf } from './database-errors';

/** A change under way: everything done through it commits together or not at all. */
export interface Tx {
  readonly manager: EntityManager;
  query<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Does something once the change is committed, and never when it is not: counting it, say. It must not throw. */
  afterCommit(work: () => void): void;
}

/** Failures that say "not now": the same work in a fresh transaction may well succeed. */
const RETRYABLE: ReadonlySet<string> = new Set([SQLSTATE.serializationFailure, SQLSTATE.deadlockDetected, SQLSTATE.stale]);
const MAX_ATTEMPTS = 12;
/** A client whose settings are being edited changes its revision; after so many edits in a row the caller is told. */
const MAX_LOOKS = 3;

/**
 * Owns every change: the transaction, its retries, the second look at the caller's access, and the idempotency record.
 * Nothing slow may happen inside; what must happen later is a job or an event written in the same transaction.
 */
@Injectable()
export class UnitOfWork {
  private readonly logger = new Logger(UnitOfWork.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly envelope: Envelope,
  ) {}

  /**
   * Runs several statements as one transaction for the current request and answers what the work answers, which is also
   * what a repetition with the same idempotency key will be told.
   */
  async run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.retrying(async () => {
      const afterCommit: (() => void)[] = [];
      const result = await this.dataSource.transaction(async (manager) => this.inTransaction(manager, work, afterCommit));
      for (const each of afterCommit) each();
      return result;
    });
  }

  /**
   * Runs one SQL function as one transaction: one round trip. The statement is built again for each attempt, because
   * what it was decided on may have moved.
   */
  async call<Row extends QueryResultRow>(statement: () => QueryConfig | Promise<QueryConfig>): Promise<Row[]> {
    return this.retrying(async () => (await poolOf(this.dataSource).query<Row>(await statement())).rows);
  }

  /** The same without retries, for callers that must read and decide again themselves. Database errors come out as they are. */
  async once<Row extends QueryResultRow>(statement: QueryConfig): Promise<Row[]> {
    return (await poolOf(this.dataSource).query<Row>(statement)).rows;
  }

  /** A read by a named prepared statement, outside of any transaction. */
  async read<Row extends QueryResultRow>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return (await poolOf(this.dataSource).query<Row>({ name: name || undefined, text, values })).rows;
  }

  /** Ends a request whose idempotency key was not free, with the stored answer or a refusal. */
  refuse(outcome: ClaimOutcome): never {
    const { claim } = currentContext();
    if (!claim) throw new Error('Only a request with a claim can be refused for it.');
    return refuseClaim(outcome, this.envelope, claim);
  }

  private async inTransaction<T>(manager: EntityManager, work: (tx: Tx) => Promise<T>, afterCommit: (() => void)[]): Promise<T> {
    const context = currentContext();
    if (context.access || context.session) await this.open(manager, context);
    const result = await work({
      manager,
      query: (sql, values) => manager.query(sql, values),
      afterCommit: (each) => void afterCommit.push(each),
    });
    await this.storeAnswer(manager, context, result);
    return result;
  }

  private async open(manager: EntityManager, context: RequestContext): Promise<void> {
    const { claim } = context;
    const claimed: { outcome: ClaimOutcome | null }[] = await manager.query(
      'select open_change($1, $2) as outcome',
      [accessParameter(context), claim ? claimParameter(claim) : null],
    );
    const outcome = claimed[0]?.outcome;
    if (outcome && claim) refuseClaim(outcome, this.envelope, claim);
  }

  private async storeAnswer(manager: EntityManager, { claim, policy }: RequestContext, result: unknown): Promise<void> {
    if (!claim) return;
    const body = JSON.stringify(result ?? null);
    const sealed = policy?.secretAnswer === true;
    await manager.query(
      `update idempotency_keys set status = $5, body = $6, sealed = $7
        where client_id = $1 and livemode = $2 and route = $3 and key = $4`,
      [claim.owner, claim.livemode, claim.route, claim.key, policy?.status ?? 200,
        sealed ? sealAnswer(this.envelope, claim, body) : body, sealed],
    );
  }

  private async retrying<T>(attempt: () => Promise<T>): Promise<T> {
    let looks = 0;
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt();
      } catch (error) {
        const state = sqlStateOf(error);
        if (state === SQLSTATE.accessChanged && looks < MAX_LOOKS) {
          looks += 1;
          await currentContext().reauthenticate?.();
        } else if (state === undefined || !RETRYABLE.has(state) || attempts >= MAX_ATTEMPTS) throw refusal(state, error);
        else {
          this.logger.debug(`retrying after ${state}, attempt ${attempts}`);
          // Competitors that back off by different amounts stop meeting each other.
          await pause(Math.random() * 5 * attempts);
        }
      }
    }
  }
}

/** The caller's access as check_access takes it: a key's, or a signed-in person's with the client that the person belongs to. */
export function accessParameter({ access, key, session }: Pick<RequestContext, 'access' | 'key' | 'session'>): string {
  const client = access ? { client_id: access.clientId, client_revision: access.clientRevision } : { client_id: session?.clientId ?? undefined };
  const credential = key
    ? { key_id: key.keyId, key_revision: key.keyRevision }
    : session && { session_id: session.sessionId, person_id: session.personId, person_revision: session.personRevision };
  return JSON.stringify({ ...client, ...credential });
}

/** 503 with the reason that staff gave for the pause. */
export function pausedProblem(cause: unknown): Problem {
  const reason = cause instanceof Error ? cause.message : 'paused';
  return new Problem('paused', `This is paused by the operator: ${reason}. Try again later.`, { headers: { 'retry-after': '60' }, cause });
}

/** What a caller is told when the database kept refusing; anything unexpected stays what it was. */
function refusal(state: string | undefined, error: unknown): unknown {
  if (state === SQLSTATE.stale) return new Problem('state_conflict', 'The object is being changed by others. Read it again, then decide.');
  if (state === SQLSTATE.accessChanged) return new Problem('unauthenticated', 'Your access was changed meanwhile. Authenticate again.');
  if (state === SQLSTATE.paused) return pausedProblem(error);
  if (state === SQLSTATE.lockNotAvailable) {
    return new Problem('state_conflict', 'The object is being changed by others for unusually long. Try again in a moment.', {
      headers: { 'retry-after': '1' },
      cause: error,
    });
  }
  return error;
}
