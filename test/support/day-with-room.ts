import { setTimeout as pause } from 'node:timers/promises';
import { dayOf } from '../../src/operations/reconciliation/report-day';

export const DAY_MS = 24 * 3_600_000;

/** The present UTC day, for a suite that needs so long and must not cross midnight: one that begins just before it waits for the next day. */
export async function dayWithRoom(forMs: number): Promise<string> {
  const left = DAY_MS - (Date.now() % DAY_MS);
  if (left < forMs) await pause(left);
  return dayOf(new Date());
}
