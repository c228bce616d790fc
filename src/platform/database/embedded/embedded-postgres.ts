import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { clusterFolder, readNotes } from './data-folder';
import { launch, thisMachine, urlOf, type Running } from './launch';
import { findPostmaster, stopServer } from './server';

export { EmbeddedPostgresError } from './embedded-postgres-error';

export interface EmbeddedPostgresOptions {
  /** DATA_DIR, absolute. The database lives in its folder `postgres`, or where its file `postgres.json` says. */
  dataDir: string;
  /** Is told in one line what an operator should know. */
  log(line: string): void;
  /** Settings of the server for this start, e.g. `{ fsync: 'off' }` in tests. */
  settings?: Record<string, string>;
}

const WATCH_MS = 1_000;

/**
 * A PostgreSQL server of our own, for machines that have none: it starts with the application and stops with it.
 * It listens on 127.0.0.1 only and lets nobody in without the password, which is kept in a file for the owner's eyes.
 */
export class EmbeddedPostgres {
  /** For database `cpgateway`, as its superuser. Stays the same from start to start while its port is free. */
  readonly url: string;
  /** Whether `stop` ends the server: not when somebody else started it on the folder by hand. */
  readonly ownedByUs: boolean;
  private stopping: Promise<void> | undefined;
  private watching: NodeJS.Timeout | undefined;

  private constructor(private readonly running: Running) {
    this.url = running.url;
    this.ownedByUs = running.ownedByUs;
  }

  /**
   * Makes the database when the folder has none, and starts the server; or takes over the one that still runs there because the
   * application that started it was killed. Resolves when the server accepts connections.
   * @throws EmbeddedPostgresError, also when another CPGateway uses the folder.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    return new EmbeddedPostgres(await launch(options, thisMachine()));
  }

  /**
   * Ends all sessions, stops the server and gives the folder free. May be called more than once.
   * @throws EmbeddedPostgresError when the server still runs after a minute; the next start takes it over.
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  /** Tells once when the server has ended by itself: killed, out of memory, disk full. Nothing is told after `stop`. */
  watch(onLost: () => void): void {
    this.watching = setInterval(() => {
      void findPostmaster(this.running.cluster.folder).then((postmaster) => {
        if (postmaster || this.stopping || !this.watching) return;
        this.unwatch();
        onLost();
      }, () => undefined);
    }, WATCH_MS).unref();
  }

  private unwatch(): void {
    clearInterval(this.watching);
    this.watching = undefined;
  }

  private async stopOnce(): Promise<void> {
    this.unwatch();
    if (this.ownedByUs) await stopServer(this.running.cluster);
    this.running.lock.release();
  }
}

/**
 * The URL of a server that runs on that data folder, for the command line; undefined when none does. Never starts or stops anything.
 * @throws EmbeddedPostgresError when there is one and its password may not be read by this user.
 */
export async function findRunning(dataDir: string): Promise<string | undefined> {
  const folder = await realpath(dataDir).catch(() => resolve(dataDir));
  const notes = await readNotes(folder);
  if (!notes.password) return undefined;
  const postmaster = await findPostmaster(clusterFolder(folder, notes));
  return postmaster?.ready ? urlOf(notes.password, postmaster.port) : undefined;
}
