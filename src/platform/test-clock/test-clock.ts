import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work';

/** What a room does when a client's test clock is moved on: it owns tables in which something waits for its time. */
export interface TestClockPart {
  /**
   * Pulls what waits in the client's test book nearer, by so many seconds, and answers how many objects of each kind that were. Only
   * what is still to come moves, so a clock that is moved on and on leads nowhere but to the present. Never touches a live book.
   */
  advance(tx: Tx, clientId: string, seconds: number): Promise<Readonly<Record<string, number>>>;
  /** Does what has become due, after the commit and before the caller is answered; what takes long is only begun. */
  settle?(clientId: string): Promise<void>;
}

/**
 * The port between the test clock and the rooms whose rows have due times. There is no second clock: time stands where it is, and
 * the client's due times come to meet it.
 */
@Injectable()
export class TestClock {
  private readonly registered: TestClockPart[] = [];

  /** The parts in the order in which they were registered. */
  get parts(): readonly TestClockPart[] {
    return this.registered;
  }

  /** Called once at start by each part. */
  register(part: TestClockPart): void {
    this.registered.push(part);
  }
}
