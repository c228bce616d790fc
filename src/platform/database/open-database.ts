import { Client } from 'pg';
import type { Logger as Pino } from 'pino';
import type { Settings } from '../config/settings';
import type { DatabaseLocation } from './database.module';
import { EmbeddedPostgres, findRunning } from './embedded/embedded-postgres';

const CONNECT_TIMEOUT_MS = 10_000;

/** A database that accepts connections. */
export interface OpenDatabase extends DatabaseLocation {
  /** Stops the embedded server if we started it; a server of the operator's own is never stopped. */
  close(): Promise<void>;
}

/** A server of the operator's own cannot be used. The message is for people and never holds a password. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

/**
 * Opens the database that the settings name, else the embedded one under DATA_DIR.
 * @param options.shared for a command: when the server runs on the embedded database already, use it beside the server
 * @param options.onLost told when the embedded server has ended by itself; a server of the operator's own is the operator's to watch
 * @throws EmbeddedPostgresError, DatabaseUnavailableError
 */
export async function openDatabase(settings: Settings, log: Pino, options: { shared?: boolean; onLost?: () => void } = {}): Promise<OpenDatabase> {
  const { databaseUrl, databaseDirectUrl, dataDir } = settings;
  if (databaseUrl !== undefined) return openOwn(databaseUrl, databaseDirectUrl);
  const running = options.shared ? await findRunning(dataDir) : undefined;
  if (running) return { url: running, directUrl: running, close: async () => undefined };
  if (settings.isProductionLike) log.warn(`DATABASE_URL is not set: ${settings.nodeEnv} runs on the embedded PostgreSQL, which nobody else backs up.`);
  const server = await EmbeddedPostgres.start({ dataDir, log: (line) => log.info(line) });
  if (options.onLost) server.watch(options.onLost);
  return { url: server.url, directUrl: server.url, close: () => server.stop() };
}

/**
 * Makes node-postgres read `sslmode` as libpq documents it: `require` encrypts without checking the certificate, `verify-ca` checks
 * who signed it (by `sslrootcert`), `verify-full` also the host's name. By itself pg 8 takes all three for `verify-full` and warns that
 * this will change (node_modules/pg-connection-string). Every connection is made from a URL that went through here: TypeORM's pool and what stands
 * beside it, the migrations and the job queue; source: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
export function withLibpqTls(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('sslmode')) return url;
  parsed.searchParams.set('uselibpqcompat', 'true');
  return parsed.toString();
}

async function openOwn(databaseUrl: string, databaseDirectUrl: string | undefined): Promise<OpenDatabase> {
  const url = withLibpqTls(databaseUrl);
  const directUrl = withLibpqTls(databaseDirectUrl ?? databaseUrl);
  await tryOut(url, 'DATABASE_URL');
  if (directUrl !== url) await tryOut(directUrl, 'DATABASE_DIRECT_URL');
  return { url, directUrl, close: async () => undefined };
}

async function tryOut(url: string, setting: string): Promise<void> {
  const { host, pathname } = new URL(url);
  try {
    const client = new Client({ connectionString: url, application_name: 'cpgateway', connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    // An error while the connection closes has nothing to say any more.
    client.on('error', () => undefined);
    await client.connect();
    await client.end();
  } catch (error) {
    throw new DatabaseUnavailableError(
      `The database ${pathname.slice(1)} at ${host} cannot be used: ${reasonOf(error)}. ` +
        `Check that it runs and that ${setting} is right.`,
    );
  }
}

/** Node reports a host with several addresses as one error without a text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map((one: Error) => one.message).join('; ');
  return (error as Error).message;
}
