import { chmodSync, mkdirSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../src/platform/database/migrate';
import { EmbeddedPostgres } from '../../src/platform/database/embedded/embedded-postgres';
import { copyCluster } from './copy-cluster';

declare global {
  // Jest's globals live across setup and teardown only through globalThis.
  var cpgTestServer: { server: EmbeddedPostgres; folder: string } | undefined;
}

/** Linux keeps it in memory. A container often has one of 64 MB, which is too small. */
const IN_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 4 * 1024 ** 3;

/**
 * One real PostgreSQL for all suites: a migrated template that each suite copies in a few milliseconds. A database is a thousand
 * files, and to make them is most of what a copy costs on a disk, so all that the run writes goes to memory where there is enough.
 */
export default async function globalSetup(): Promise<void> {
  const folder = mkdtempSync(path.join(hasRoom(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'cpgateway-test-'));
  // As root the server runs as another user, who must be able to reach its folder.
  chmodSync(folder, 0o711);
  // The workers inherit it: what suites leave in temporary folders goes with the run.
  process.env.TMPDIR = folder;
  const dataDir = path.join(folder, 'server');
  mkdirSync(dataDir, { mode: 0o711 });
  process.env.CPG_TEST_CLUSTER = await migratedCluster(dataDir, path.join(folder, 'migrated'));
  const server = await startServer(dataDir);
  globalThis.cpgTestServer = { server, folder };
  const admin = new Client({ connectionString: onDatabase(server.url, 'postgres') });
  await admin.connect();
  await admin.query('alter database cpgateway with is_template true allow_connections false');
  await admin.end();
  process.env.CPG_TEST_SERVER_URL = server.url;
}

function startServer(dataDir: string): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.start({
    dataDir,
    log: () => undefined,
    // Nothing here outlives the run; what a crash leaves behind is tested on a server of its own.
    settings: {
      fsync: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: '0', checkpoint_timeout: '1h', max_connections: '200',
    },
  });
}

/** Makes the database of the run, and a copy at rest, with which tests begin that need a server of their own and not its making. */
async function migratedCluster(dataDir: string, copy: string): Promise<string> {
  const server = await startServer(dataDir);
  try {
    await migrate(server.url);
  } finally {
    await server.stop();
  }
  copyCluster(path.join(dataDir, 'postgres'), copy);
  return copy;
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}

function onDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}
