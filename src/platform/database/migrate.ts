import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { runMigrations as migrateQueue } from 'graphile-worker';
import { Client, Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { bearLosses, dataSourceOptions, FUNCTIONS_DIR } from './data-source';

/** Any constant will do; every instance of every version must use the same one. */
const MIGRATION_LOCK = 7_305_220_101;

/**
 * Brings a database to this version: the queue's own schema, the numbered migrations, then every SQL function whose text changed.
 * Instances that start together take turns under an advisory lock, so each step runs once. Answers what was done, for the log.
 */
export async function migrate(url: string): Promise<string[]> {
  const lock = new Client({ connectionString: url, application_name: 'cpgateway migrate' });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrateJobQueue(url);
    const migrations = await runNumberedMigrations(url);
    const functions = await applyFunctions(lock);
    return [...migrations, ...functions];
  } finally {
    await lock.end();
  }
}

async function migrateJobQueue(url: string): Promise<void> {
  const pgPool = bearLosses(new Pool({ connectionString: url, max: 2 }));
  try {
    await migrateQueue({ pgPool, logger: undefined });
  } finally {
    await pgPool.end();
  }
}

/** A migration may write a large table anew, so no statement is ended for its length; a lock that it does not get still ends it. */
export function migrationOptions(url: string): DataSourceOptions {
  const { extra, ...options } = dataSourceOptions({ url, entities: [], poolSize: 2 });
  return { ...options, extra: { ...extra, statement_timeout: 0, query_timeout: 0 } } as DataSourceOptions;
}

async function runNumberedMigrations(url: string): Promise<string[]> {
  const dataSource = new DataSource(migrationOptions(url));
  await dataSource.initialize();
  try {
    const done = await dataSource.runMigrations({ transaction: 'each' });
    return done.map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}

/** Functions are whole files that replace themselves; one transaction, so no caller meets half a version. */
async function applyFunctions(client: Client): Promise<string[]> {
  await client.query('create table if not exists schema_functions (name text primary key, checksum text not null)');
  const { rows } = await client.query<{ name: string; checksum: string }>('select name, checksum from schema_functions');
  const known = new Map(rows.map((row) => [row.name, row.checksum]));
  const applied: string[] = [];
  await client.query('begin');
  // The functions call each other; their bodies are checked when they run, not in the order of their names.
  await client.query('set local check_function_bodies = off');
  for (const file of (await readdir(FUNCTIONS_DIR)).filter((name) => name.endsWith('.sql')).sort()) {
    const sql = await readFile(path.join(FUNCTIONS_DIR, file), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const name = path.basename(file, '.sql');
    if (known.get(name) === checksum) continue;
    await client.query(sql);
    await client.query(
      'insert into schema_functions values ($1, $2) on conflict (name) do update set checksum = excluded.checksum',
      [name, checksum],
    );
    applied.push(`function ${name}`);
  }
  await client.query('commit');
  return applied;
}
