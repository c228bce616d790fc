/** All that a start needs once the settings are known to be right and the database is open. */
export { createApplication } from './application';
export { migrate } from './platform/database/migrate';
export { makeDemoClient, welcome } from './welcome';
