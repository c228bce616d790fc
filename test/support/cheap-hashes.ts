import type { INestApplicationContext } from '@nestjs/common';
import { PasswordHasher } from '../../src/auth/passwords/password-hasher';

/** The fewest rounds that bcrypt knows, 2^4. */
export const CHEAP_COST = 4;

/**
 * Lets an application's thread hash new passwords with few rounds; what it compares is as it was stored. A real hash takes a processor for
 * 200 ms and more; its cost is tested where hashing is.
 */
export function hashCheaply(app: INestApplicationContext): void {
  const hasher = app.get(PasswordHasher);
  const compute = hasher['compute'].bind(hasher);
  hasher['compute'] = (task) => compute('cost' in task ? { ...task, cost: CHEAP_COST } : task);
}

/**
 * Keeps the next hashes until as many have been asked for: each of those who ask at once has then read what was before any of them has
 * changed it.
 */
export function hashTogether(app: INestApplicationContext, count: number): void {
  const hasher = app.get(PasswordHasher);
  const hash = hasher.hash.bind(hasher);
  const waiting: (() => void)[] = [];
  const spy = jest.spyOn(hasher, 'hash').mockImplementation(async (password) => {
    await new Promise<void>((begin) => {
      waiting.push(begin);
      if (waiting.length < count) return;
      spy.mockRestore();
      for (const one of waiting) one();
    });
    return hash(password);
  });
}
