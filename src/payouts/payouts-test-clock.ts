import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work';
import { Sweeper } from '../platform/jobs/sweeper';
import { TestClock, type TestClockPart } from '../platform/test-clock/test-clock';
import { PAYOUT_SWEEP } from './payouts';

/**
 * A payout is only looked at sooner. When one that was never heard of may be sent again is counted from the send itself, and that
 * stays where it is: no clock of a merchant makes a second payout out of one that is on its way.
 */
const ADVANCE = `
  with moved as (
    update payouts set next_check_at = next_check_at - make_interval(secs => $2)
     where client_id = $1 and not livemode and next_check_at > now()
    returning 1
  )
  select count(*)::integer as count from moved`;

/** When test payouts without an answer are looked at. */
@Injectable()
export class PayoutsTestClock implements TestClockPart, OnModuleInit {
  constructor(
    private readonly clock: TestClock,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.clock.register(this);
  }

  async advance(tx: Tx, clientId: string, seconds: number): Promise<Record<string, number>> {
    const [{ count }] = await tx.query<{ count: number }>(ADVANCE, [clientId, seconds]);
    return { payouts: count };
  }

  async settle(): Promise<void> {
    this.sweeper.poke(PAYOUT_SWEEP);
  }
}
