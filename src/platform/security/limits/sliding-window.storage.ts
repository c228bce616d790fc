import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';

interface Counter {
  /** The number of the fixed window that `current` counts. */
  window: number;
  current: number;
  previous: number;
  windowMs: number;
}

const SWEEP_MS = 60_000;
/** At some 250 bytes each. Beyond it the counter that was opened first is forgotten: memory stays flat, whoever calls. */
const MAX_COUNTERS = 100_000;

/**
 * A sliding window from two fixed ones: the previous window counts for the share of it that the sliding one still covers.
 * Two numbers for each caller instead of a log of hits; the error against a true log is bounded by one window's unevenness.
 * A refused call is not counted, so a caller that keeps knocking is let in again as soon as its window has room.
 */
@Injectable()
export class SlidingWindowStorage implements ThrottlerStorage, OnModuleDestroy {
  private readonly counters = new Map<string, Counter>();
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();

  constructor(private readonly maxCounters = MAX_COUNTERS) {}

  increment(key: string, ttl: number, limit: number) {
    return Promise.resolve(this.hit(key, ttl, limit, Date.now()));
  }

  /** One call at a given time: how many count now, and how many seconds until one more fits. */
  hit(key: string, windowMs: number, limit: number, nowMs: number) {
    const window = Math.floor(nowMs / windowMs);
    const counter = this.advance(key, window, windowMs);
    const elapsed = nowMs - window * windowMs;
    const weighted = counter.previous * (1 - elapsed / windowMs) + counter.current;
    const isBlocked = weighted + 1 > limit;
    if (!isBlocked) counter.current += 1;
    const isFull = isBlocked || weighted + 2 > limit;
    const waitMs = isFull ? timeUntilRoom(counter, windowMs, limit, elapsed) : windowMs - elapsed;
    return {
      totalHits: Math.ceil(isBlocked ? Math.max(weighted, limit) : weighted + 1),
      timeToExpire: waitMs / 1000,
      isBlocked,
      timeToBlockExpire: isBlocked ? waitMs / 1000 : 0,
    };
  }

  onModuleDestroy(): void {
    clearInterval(this.sweeper);
  }

  private advance(key: string, window: number, windowMs: number): Counter {
    const known = this.counters.get(key);
    if (known?.window === window) return known;
    const previous = known && known.window === window - 1 ? known.current : 0;
    const counter = { window, current: 0, previous, windowMs };
    // Deleted first, so that the map stays in the order in which windows were opened.
    this.counters.delete(key);
    this.counters.set(key, counter);
    if (this.counters.size > this.maxCounters) this.counters.delete(this.counters.keys().next().value!);
    return counter;
  }

  private sweep(): void {
    const now = Date.now();
    for (const [key, counter] of this.counters) {
      if (Math.floor(now / counter.windowMs) > counter.window + 1) this.counters.delete(key);
    }
  }
}

/** Milliseconds until the weighted count leaves room for one more. */
function timeUntilRoom({ current, previous }: Counter, windowMs: number, limit: number, elapsedMs: number): number {
  if (current + 1 <= limit && previous > 0) {
    return Math.max(1, windowMs * (1 - (limit - 1 - current) / previous) - elapsedMs);
  }
  // This window alone is full: it must first become the previous one, then fade far enough.
  return windowMs - elapsedMs + Math.max(1, windowMs * (1 - (limit - 1) / current));
}
