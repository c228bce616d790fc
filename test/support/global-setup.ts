import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../src/platform/database/migrate';
import { EmbeddedPostgres } from '../../src/platform/database/embedded/embedded-postgres';

declare global {
  // Jest's globals live across setup and teardown only through globalThis.
  var cpgTestServer: { server: EmbeddedPostgres; dataDir: string } | undefined;
}

/** One real PostgreSQL for all suites: a migrated template that each suite copies in a few milliseconds. */
export default async function globalSetup(): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'cpgateway-test-'));
  // As root the server runs as another user, who must be able to reach its folder.
  chmodSync(dataDir, 0o711);
  const server = await EmbeddedPostgres.start({
    dataDir,
    log: () => undefined,
    // Nothing here outlives the run; what a crash leaves behind is tested on a server of its own.
    settings: { fsync: 'off', max_connections: '200' },
  });
  globalThis.cpgTestServer = { server, dataDir };
  await migrate(server.url);
  const admin = new Client({ connectionString: onDatabase(server.url, 'postgres') });
  await admin.connect();
  await admin.query('alter database cpgateway with is_template true allow_connections false');
  await admin.end();
  process.env.CPG_TEST_SERVER_URL = server.url;
}

function onDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}
