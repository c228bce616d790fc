import { join } from 'node:path';
import { copyCluster } from './copy-cluster';
import { newFolder } from './embedded-folders';

/**
 * A data folder with a migrated database and nothing else: the next start makes up a password and secrets, and a demo merchant. To make a
 * database takes as much as two starts of the server; here the run's own is copied, for tests of what comes after it is made.
 */
export function migratedFolder(): string {
  const folder = newFolder();
  copyCluster(process.env.CPG_TEST_CLUSTER!, join(folder, 'postgres'));
  return folder;
}
