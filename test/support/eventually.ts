import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 20;

type Absent = false | undefined;

/**
 * Waits for something that happens by itself: asks again until the question has a truthy answer and gives that. A question
 * may also throw (an expectation, say) for as long as it is not so yet; its last error is what a failed wait shows.
 */
export async function eventually<T>(ask: () => T | Absent | Promise<T | Absent>, timeoutMs = 10_000): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > until) throw failure ?? new Error(`This did not become true within ${timeoutMs} ms: ${ask.toString()}`);
    await pause(EVERY_MS);
  }
}
