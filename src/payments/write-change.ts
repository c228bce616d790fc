import { SQLSTATE, sqlStateOf } from '../platform/database/database-errors';

const MAX_REDECISIONS = 50;
/** The payment or the provider's reference is not as it was when the decision was made. */
const MOVED: ReadonlySet<string | undefined> = new Set([SQLSTATE.stale, SQLSTATE.uniqueViolation, SQLSTATE.deadlockDetected]);

/**
 * Reads, decides and writes, again and again until nobody else has moved in between. For events and sweeps; unlike a request they decide
 * again themselves, because their statement is bound to what they read.
 */
export async function decidingAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!MOVED.has(sqlStateOf(error)) || tries >= MAX_REDECISIONS) throw error;
    }
  }
}
