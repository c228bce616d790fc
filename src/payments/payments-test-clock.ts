import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work';
import { TestClock, type TestClockPart } from '../platform/test-clock/test-clock';
import { ExpirePayments } from './expire-payments';
import { ResolveUnknown } from './resolve-unknown';

/** A sweep takes a hundred; a book with more open payments than these is finished by the sweeper. */
const MAX_SWEEPS = 10;

/** Whether money is late is decided from the expiry, so whoever has decided on the old one decides again: hence the revision. */
const ADVANCE = `
  with moved as (
    update payments set expires_at = expires_at - make_interval(secs => $2), revision = revision + 1
     where client_id = $1 and not livemode and status in ('pending', 'processing') and expires_at > now()
    returning 1
  )
  select count(*)::integer as count from moved`;

/** A provider that keeps silent is asked after its time, which is counted from the last change. */
const ADVANCE_SILENCE = `
  update payments set updated_at = updated_at - make_interval(secs => $2), revision = revision + 1
   where client_id = $1 and not livemode and exception = 'unknown'`;

/** The expiry of test payments, and the silence of simulated providers. */
@Injectable()
export class PaymentsTestClock implements TestClockPart, OnModuleInit {
  constructor(
    private readonly clock: TestClock,
    private readonly resolving: ResolveUnknown,
    private readonly expiring: ExpirePayments,
  ) {}

  onModuleInit(): void {
    this.clock.register(this);
  }

  async advance(tx: Tx, clientId: string, seconds: number): Promise<Record<string, number>> {
    const [{ count }] = await tx.query<{ count: number }>(ADVANCE, [clientId, seconds]);
    await tx.query(ADVANCE_SILENCE, [clientId, seconds]);
    return { payments: count };
  }

  /** What a provider knows comes first: money that it took in time is not too late because its answer is. */
  async settle(): Promise<void> {
    await this.resolving.sweep();
    for (let sweeps = 0; sweeps < MAX_SWEEPS && (await this.expiring.sweep()); sweeps += 1);
  }
}
