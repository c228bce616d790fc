import { readdirSync } from 'node:fs';
import path from 'node:path';
import { Pool } from 'pg';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';

/** 4–16 connections serve 32 callers best on a small server; more of them only wait for each other. */
const POOL_SIZE = 12;

const CONNECTION = {
  application_name: 'cpgateway',
  statement_timeout: 15_000,
  lock_timeout: 5_000,
  idle_in_transaction_session_timeout: 15_000,
  query_timeout: 20_000,
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
} as const;

/** Where the numbered migrations lie: beside src in a checkout, compiled beside dist/src once built. */
const MIGRATIONS_DIR = path.resolve(__dirname, '../../../migrations');

/** Where the SQL functions lie: they are not compiled, so a build reads them from the project itself. */
export const FUNCTIONS_DIR = path.join(MIGRATIONS_DIR.replace(/([/\\])dist([/\\]migrations)$/, '$2'), 'functions');

type MigrationClass = new () => MigrationInterface;

export interface DatabaseOptions {
  url: string;
  entities: DataSourceOptions['entities'];
  poolSize?: number;
}

/**
 * The options of the one data source. The time-outs bound every statement (a lost backend would hang a caller for ever) and
 * every lock (a caller gets an answer, not a queue). TLS follows `sslmode` in the URL, as libpq has it.
 */
export function dataSourceOptions({ url, entities, poolSize = POOL_SIZE }: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities,
    migrations: numberedMigrations(),
    migrationsTableName: 'schema_migrations',
    synchronize: false,
    logging: false,
    extra: { ...CONNECTION, max: poolSize },
  };
}

/** The classes of the numbered migrations: by a plain `require`, so that whatever runs these sources can also read those. */
function numberedMigrations(): MigrationClass[] {
  const files = readdirSync(MIGRATIONS_DIR).filter((name) => /^\d{4}-[\w-]+\.(ts|js)$/.test(name)).sort();
  return files.flatMap((name) => Object.values(require(path.join(MIGRATIONS_DIR, name)) as Record<string, MigrationClass>));
}

/** The pool beneath TypeORM, for named prepared statements: the hot functions are planned once on each connection. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

/**
 * One connection beside that pool, for statements that come one after the other: none of them waits behind what others do, and what one
 * backend has planned and looked up stays there. It is opened when it is first used, and again when it was lost; whoever asks for it ends it.
 */
export function connectionBeside({ options }: DataSource): Pool {
  const { url } = options as { url?: string };
  return bearLosses(new Pool({ ...CONNECTION, connectionString: url, max: 1, idleTimeoutMillis: 0 }));
}

/** A connection lost while idle shows again in the next query, which fails with it; without handlers it would end the process. */
export function bearLosses(pool: Pool): Pool {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
