import type { PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';
import { poolOf } from '../platform/database/data-source';

/** Clients `after` < id <= `upTo`. */
export interface ClientRange {
  after: string;
  upTo: string;
}

/** Clients that one statement looks at: few enough that the database sorts in memory, enough that small clients cost no round trip each. */
const CLIENTS_AT_A_TIME = 100;
/** A check may take longer than any request; what bounds it is this. */
const STATEMENT_TIMEOUT_MS = 30 * 60_000;

/** The whole database as it was at one moment: what commits meanwhile is not seen, and nothing waits for the reader. */
export class LedgerSnapshot {
  private constructor(private readonly connection: PoolClient) {}

  /** Runs reads in one read-only transaction of their own. */
  static async read<T>(dataSource: DataSource, work: (snapshot: LedgerSnapshot) => Promise<T>): Promise<T> {
    const connection = await poolOf(dataSource).connect();
    let broken: unknown;
    // The query under way fails with it; without a listener of its own a connection that is in use and lost would end the process.
    const onError = (error: unknown) => { broken = error; };
    connection.on('error', onError);
    try {
      await connection.query('begin isolation level repeatable read read only');
      await connection.query(`set local statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
      const result = await work(new LedgerSnapshot(connection));
      await connection.query('commit');
      return result;
    } catch (error) {
      broken = error;
      throw error;
    } finally {
      // A connection that failed is closed, not reused: nobody knows what state its transaction is in.
      connection.off('error', onError);
      connection.release(broken !== undefined);
    }
  }

  async query<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    // The pool gives up on a statement after seconds; pg reads this from the statement first, though its types do not say so.
    const statement: QueryConfig & { query_timeout: number } = { text, values, query_timeout: STATEMENT_TIMEOUT_MS };
    return (await this.connection.query<Row>(statement)).rows;
  }

  /** The clients that have rows in a table, in batches. The table's name comes from code, and its key begins with client_id. */
  async *clientRanges(table: string): AsyncGenerator<ClientRange> {
    for (let after = ''; ; ) {
      const [row] = await this.query<{ up_to: string | null }>(
        `select max(client_id) as up_to
           from (select distinct client_id from ${table} where client_id > $1 order by client_id limit $2) batch`,
        [after, CLIENTS_AT_A_TIME],
      );
      const upTo = row?.up_to;
      if (!upTo) return;
      yield { after, upTo };
      after = upTo;
    }
  }
}
