import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Tx } from '../../platform/database/unit-of-work';
import { TestClock, type TestClockPart } from '../../platform/test-clock/test-clock';
import { DeliveryPump } from './deliveries/delivery-pump';

/** Five days is as long as it matters; see finish_delivery. */
const ADVANCE_ENDPOINTS = `
  with moved as (
    update webhook_endpoints
       set failing_since = failing_since
             - make_interval(secs => case when failing_since > now() - interval '5 days' then $2 else 0 end),
           previous_secret_expires_at = previous_secret_expires_at
             - make_interval(secs => case when previous_secret_expires_at > now() then $2 else 0 end)
     where client_id = $1 and not livemode
       and (failing_since > now() - interval '5 days' or previous_secret_expires_at > now())
    returning 1
  )
  select count(*)::integer as count from moved`;

/** What is being sent at this moment waits for the end of its lease, which is no plan of ours to be moved: it would be sent twice. */
const ADVANCE_DELIVERIES = `
  with moved as (
    update webhook_deliveries d set next_attempt_at = d.next_attempt_at - make_interval(secs => $2)
     where d.client_id = $1 and not d.livemode and d.status = 'pending' and d.next_attempt_at > now()
       and exists (select from webhook_attempts a
                    where a.client_id = $1 and not a.livemode and a.delivery_id = d.id and a.attempt = d.attempts
                      and a.duration_ms is not null)
    returning 1
  )
  select count(*)::integer as count from moved`;

/** When test endpoints are tried again, how long they have been failing, and how long an old secret still signs. */
@Injectable()
export class WebhooksTestClock implements TestClockPart, OnModuleInit {
  constructor(
    private readonly clock: TestClock,
    private readonly pump: DeliveryPump,
  ) {}

  onModuleInit(): void {
    this.clock.register(this);
  }

  /** The endpoints before their deliveries, as everywhere. */
  async advance(tx: Tx, clientId: string, seconds: number): Promise<Record<string, number>> {
    const [endpoints] = await tx.query<{ count: number }>(ADVANCE_ENDPOINTS, [clientId, seconds]);
    const [deliveries] = await tx.query<{ count: number }>(ADVANCE_DELIVERIES, [clientId, seconds]);
    return { webhook_endpoints: endpoints.count, webhook_deliveries: deliveries.count };
  }

  /** Begins to send; the receivers answer when they do. */
  async settle(): Promise<void> {
    this.pump.hurry();
  }
}
