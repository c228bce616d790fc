import { randomBytes } from 'node:crypto';
import { Client, Pool, type QueryResultRow } from 'pg';
import { eventually } from './eventually';

/** SQLSTATE query_canceled. */
const CANCELED = '57014';

/** A database of a suite's own, copied from the migrated template. */
export class TestDatabase {
  readonly pool: Pool;

  private constructor(readonly url: string) {
    this.pool = new Pool({ connectionString: url, max: 4 });
    // A session that a test ends on purpose may be one of these.
    this.pool.on('error', () => undefined);
  }

  static async create(): Promise<TestDatabase> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    // Copied file by file: through the log, as is the default, it takes five times as long.
    await onServer((admin) => admin.query(`create database ${name} template cpgateway strategy file_copy`));
    return new TestDatabase(urlOf(name));
  }

  /** Rows of a query, for assertions on what really was stored. */
  async rows<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, values)).rows;
  }

  /** The first column of the first row. */
  async value<T>(sql: string, values: unknown[] = []): Promise<T> {
    const [row] = await this.rows(sql, values);
    return Object.values(row ?? {})[0] as T;
  }

  async drop(): Promise<void> {
    await this.pool.end();
    const name = new URL(this.url).pathname.slice(1);
    // The sessions of what was just closed may take a moment to end; being cut off would be an error in them.
    await eventually(() => onServer((admin) => dropIfDone(admin, name)).then(() => true));
  }
}

/** A drop waits for every session of the server, also for one of another suite that writes to a reader who has paused; then it is left to the end of the run. */
async function dropIfDone(admin: Client, name: string): Promise<void> {
  await admin.query("set statement_timeout = '5s'");
  await admin.query(`drop database ${name}`).catch((error: { code?: string }) => {
    if (error.code !== CANCELED) throw error;
  });
}

function urlOf(name: string): string {
  const url = new URL(process.env.CPG_TEST_SERVER_URL!);
  url.pathname = `/${name}`;
  return url.toString();
}

async function onServer(work: (admin: Client) => Promise<unknown>): Promise<void> {
  const admin = new Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
