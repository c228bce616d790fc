/**
 * What the database refused, by SQLSTATE. The CPG class is our own: raised by the functions in migrations/functions.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const SQLSTATE = {
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  uniqueViolation: '23505',
  checkViolation: '23514',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
  /** The object has moved since it was read: read again and decide again. */
  stale: 'CPG01',
  /** The key or client is not what the caller was authenticated with. */
  accessChanged: 'CPG02',
  /** A pending transfer was settled the other way. */
  transferSettled: 'CPG03',
  /** A provider's event has been applied by somebody else. */
  eventSettled: 'CPG04',
  /** A switch has paused this; the message is the reason that staff gave. */
  paused: 'CPG05',
} as const;

/** The SQLSTATE of an error of pg or of TypeORM around it; undefined for anything else. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: { code?: unknown } };
  const state = driverError?.code ?? code;
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) ? state : undefined;
}

/** The name of the constraint that refused, when one did. */
export function constraintOf(error: unknown): string | undefined {
  const { constraint, driverError } = (error ?? {}) as { constraint?: string; driverError?: { constraint?: string } };
  return driverError?.constraint ?? constraint;
}
