import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as Pino } from 'pino';
import { Lifetime } from './lifetime';
import { prepareSettings } from './platform/config/load-settings';
import type { Settings } from './platform/config/settings';
import { SettingsError } from './platform/config/settings-error';
import { EmbeddedPostgresError } from './platform/database/embedded/embedded-postgres';
import { DatabaseUnavailableError, openDatabase } from './platform/database/open-database';
import { createLog } from './platform/observability/logging';

/** The address to listen on cannot be had. The message is for people. */
class ListenError extends Error {}

/** Failures whose message tells an operator all there is to know; of any other the log gets the whole error. */
const PLAIN_ERRORS = [EmbeddedPostgresError, DatabaseUnavailableError, ListenError];

const IDLE_CHECK_MS = 50;

/**
 * Starts the server: settings, database, migrations, application, port. Exits with 78 when the settings are wrong, with 1 when
 * something cannot be started, and with 0 after SIGTERM or SIGINT, when everything has been closed again.
 */
export async function start(): Promise<void> {
  const settings = settingsOrExit();
  const log = createLog(settings);
  if (settings.isProductionLike && settings.publicUrl.startsWith('http://')) {
    log.warn({ url: settings.publicUrl }, 'PUBLIC_URL is not set: the links in mails lead to this address');
  }
  const lifetime = new Lifetime(log);
  try {
    await run(settings, log, lifetime);
  } catch (error) {
    const isPlain = PLAIN_ERRORS.some((kind) => error instanceof kind);
    if (isPlain) process.stderr.write(`CPGateway has not started. ${(error as Error).message}\n`);
    else log.fatal({ err: error }, 'CPGateway has not started');
    lifetime.end(1);
  }
}

async function run(settings: Settings, log: Pino, lifetime: Lifetime): Promise<void> {
  const onLost = () => {
    log.fatal('the embedded PostgreSQL has ended by itself; start CPGateway again, and it recovers what was committed');
    lifetime.end(1);
  };
  const database = await lifetime.begin(openDatabase(settings, log, { onLost }), (opened) => opened.close());
  const { createApplication, makeDemoClient, migrate, welcome } = serverParts();
  const applied = await lifetime.begin(migrate(database.directUrl));
  if (applied.length > 0) log.info({ applied }, 'database brought up to date');
  const app = await lifetime.begin(createApplication(settings, database, log), close);
  await lifetime.begin(listen(app, settings));
  const url = await app.getUrl();
  log.info({ url, start_ms: Math.round(performance.now()) }, 'ready');
  if (settings.nodeEnv === 'development') process.stdout.write(welcome(url, await makeDemoClient(app), settings.dataDir));
}

/** To load them takes most of a start, so it is done when the settings are right and the database answers: what is wrong is said before. */
function serverParts(): typeof import('./server-parts') {
  return require('./server-parts') as typeof import('./server-parts');
}

async function listen(app: NestFastifyApplication, { host, port }: Settings): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const reason = LISTEN_REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason ? new ListenError(reason(host, port)) : error;
  }
}

const LISTEN_REASONS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `Port ${port} on ${host} is in use by another program. Stop that one, or set PORT to a free port.`,
  EACCES: (host, port) => `This user may not listen on port ${port} of ${host}. Set PORT to one above 1023.`,
  EADDRNOTAVAIL: (host) => `This machine has no address ${host} to listen on. Set HOST to one that it has, such as 127.0.0.1 or 0.0.0.0.`,
  ENOTFOUND: (host) => `The name ${host} to listen on is not known. Set HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0.`,
};

/** Nest would stop its services before its HTTP server; this way the requests under way still find them. */
async function close(app: NestFastifyApplication): Promise<void> {
  // A connection that was busy when the server was closed would be kept for its next request, which is never taken.
  const idle = setInterval(() => app.getHttpServer().closeIdleConnections(), IDLE_CHECK_MS);
  await app.getHttpAdapter().getInstance().close().finally(() => clearInterval(idle));
  await app.close();
}

function settingsOrExit(): Settings {
  try {
    return prepareSettings();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(error.exitCode);
  }
}
