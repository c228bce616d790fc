import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Tx } from '../../platform/database/unit-of-work';
import { TestClock, type TestClockPart } from '../../platform/test-clock/test-clock';

const ADVANCE = `
  with moved as (
    update destinations set active_at = active_at - make_interval(secs => $2)
     where client_id = $1 and not livemode and deleted_at is null and active_at > now()
    returning 1
  )
  select count(*)::integer as count from moved`;

/** The cool-off of test destinations. */
@Injectable()
export class DestinationsTestClock implements TestClockPart, OnModuleInit {
  constructor(private readonly clock: TestClock) {}

  onModuleInit(): void {
    this.clock.register(this);
  }

  async advance(tx: Tx, clientId: string, seconds: number): Promise<Record<string, number>> {
    const [{ count }] = await tx.query<{ count: number }>(ADVANCE, [clientId, seconds]);
    return { destinations: count };
  }
}
