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

  /**
   * Runs reads in one read-only transaction of their own.
   * @param scratch makes a temporary table (`on commit drop`), which alone may be written to
   */
  static async read<T>(dataSource: DataSource, work: (snapshot: LedgerSnapshot) => Promise<T>, scratch?: string): Promise<T> {
    const connection = await poolOf(dataSource).connect();
    let broken: unknown;
    // The query under way fails with it; without a listener of its own a connection that is in use and lost would end the process.
    const onError = (error: unknown) => { broken = error; };
    connection.on('error', onError);
    try {
      await connection.query('begin isolation level repeatable read');
      if (scratch) await connection.query(scratch);
      await connection.query('set transaction read only');
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

  /** The rows of a query, so many at a time and never more of them in memory; one such reading after the other. */
  async *chunks<Row extends QueryResultRow>(text: string, values: unknown[], size: number): AsyncGenerator<Row[]> {
    await this.query(`declare chunks no scroll cursor for ${text}`, values);
    for (let rows = await this.chunk<Row>(size); rows.length > 0; rows = await this.chunk<Row>(size)) yield rows;
    await this.query('close chunks');
  }

  private chunk<Row extends QueryResultRow>(size: number): Promise<Row[]> {
    return this.query<Row>(`fetch ${size} from chunks`);
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
