/** The embedded server cannot be used. The message is for people: it says what happened and what they can do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

/** The way out that is always open, to be put at the end of a message. */
export const OWN_SERVER = 'set DATABASE_URL to a PostgreSQL server of your own';
