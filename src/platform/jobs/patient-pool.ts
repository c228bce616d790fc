import { setTimeout as pause } from 'node:timers/promises';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { bearLosses } from '../database/data-source';

/** The connection was lost or could not be had; the statement itself was not refused. */
const LOST: ReadonlySet<string | undefined> = new Set([
  '57P01', '57P02', '57P03', '53300', '08000', '08001', '08003', '08004', '08006',
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN',
]);
const LOST_TEXT = /connection terminated|not queryable|timeout exceeded when trying to connect/i;
const RETRY_MS = 500;

/**
 * The queue's connections. The queue does not survive a failure to write down how a job ended: it stops, or leaves a rejection that nobody
 * handles. Each of its writes bears being done twice, so a statement whose connection is lost is sent again until it is answered.
 */
export class PatientPool extends Pool {
  /** False while the queue starts and stops: then a failure is told at once. */
  patient = false;

  constructor(config: PoolConfig) {
    super(config);
    bearLosses(this);
    const direct = super.connect.bind(this) as () => Promise<PoolClient>;
    this.connect = ((callback?: never) => {
      if (callback || !this.patient) return (super.connect as (callback?: never) => unknown)(callback);
      return Promise.resolve({ query: (...statement: never[]) => this.send(direct, statement), release: () => undefined });
    }) as typeof this.connect;
  }

  private async send(connect: () => Promise<PoolClient>, statement: never[]): Promise<unknown> {
    for (;;) {
      try {
        const client = await connect();
        let lost = true;
        try {
          const result = await (client.query as (...statement: never[]) => Promise<unknown>)(...statement);
          lost = false;
          return result;
        } catch (error) {
          lost = isLost(error);
          throw error;
        } finally {
          client.release(lost);
        }
      } catch (error) {
        if (!this.patient || !isLost(error)) throw error;
        await pause(RETRY_MS);
      }
    }
  }
}

function isLost(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return LOST.has(code) || LOST_TEXT.test(message ?? '');
}
