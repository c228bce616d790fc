import { Injectable } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../../platform/database/unit-of-work';
import { DisableEndpoint } from '../endpoints/disable-endpoint';
import type { DisabledReason, EndpointRow } from '../endpoints/webhook-endpoint';
import type { AttemptResult } from './attempt-result';

/** A delivery that this instance has claimed: one attempt is stored and is now to be made. */
export interface ClaimedDelivery {
  client_id: string;
  livemode: boolean;
  id: string;
  /** 1 for the first. */
  attempt: number;
  /** How many attempts before this one were made and failed; those that a killed process never made are not among them. */
  failures: number;
  event_id: string;
  event_type: string;
  event_created_at: Date;
  /** The JSON text exactly as it was stored. */
  event_data: string;
  endpoint_id: string;
  url: string;
  /** Both sealed; the previous one only while it still signs. */
  secret: string;
  previous_secret: string | null;
  /** The endpoint's last attempt failed. */
  failing: boolean;
  /** The merchant has asked for failures at this test endpoint: see FailuresAtWill. */
  fails_at_will: boolean;
}

/** How much an instance may take at once. */
export interface ClaimLimits {
  slots: number;
  failingSlots: number;
  lanes: number;
  failingLanes: number;
  leaseSeconds: number;
}

interface Finished {
  disable_reason: DisabledReason | null;
  more_due: boolean;
}

const FINISH = 'select * from finish_delivery($1)';

/** The pump's two statements: claiming what is due, and recording what came of it. */
@Injectable()
export class DeliveryRecords {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly disabling: DisableEndpoint,
  ) {}

  /** Claims deliveries that are due. `inFlight` tells how many each endpoint has under way here. */
  claim(limits: ClaimLimits, inFlight: Readonly<Record<string, number>>): Promise<ClaimedDelivery[]> {
    const { slots, failingSlots, lanes, failingLanes, leaseSeconds } = limits;
    return this.unitOfWork.call<ClaimedDelivery>(() => ({
      name: 'claim_deliveries',
      text: 'select * from claim_deliveries($1, $2)',
      values: [
        JSON.stringify({ slots, failing_slots: failingSlots, lanes, failing_lanes: failingLanes, lease_seconds: leaseSeconds }),
        JSON.stringify(inFlight),
      ],
    }));
  }

  /** Records an attempt, disables the endpoint in the same transaction where that follows, and answers whether it has more due. */
  async finish(delivery: ClaimedDelivery, result: AttemptResult): Promise<boolean> {
    const values = [resultParameter(delivery, result)];
    if (result.delivered) {
      const [finished] = await this.unitOfWork.call<Finished>(() => ({ name: 'finish_delivery', text: FINISH, values }));
      return finished.more_due;
    }
    return this.unitOfWork.run(async (tx) => {
      const [{ disable_reason: reason, more_due: moreDue }] = await tx.query<Finished>(FINISH, values);
      if (!reason) return moreDue;
      await this.disable(tx, delivery, reason);
      return false;
    });
  }

  private async disable(tx: Tx, { client_id, livemode, endpoint_id }: ClaimedDelivery, reason: DisabledReason): Promise<void> {
    const [endpoint] = await tx.query<EndpointRow>(
      'select * from webhook_endpoints where client_id = $1 and livemode = $2 and id = $3', [client_id, livemode, endpoint_id],
    );
    await this.disabling.disable(tx, endpoint, reason);
  }
}

function resultParameter(delivery: ClaimedDelivery, result: AttemptResult): string {
  return JSON.stringify({
    client_id: delivery.client_id,
    livemode: delivery.livemode,
    id: delivery.id,
    attempt: delivery.attempt,
    endpoint_id: delivery.endpoint_id,
    url: delivery.url,
    delivered: result.delivered,
    gone: result.gone,
    duration_ms: result.durationMs,
    response_status: result.responseStatus,
    error: result.error,
    response_excerpt: result.responseExcerpt,
    retry_in_ms: result.retryInMs ?? null,
  });
}
