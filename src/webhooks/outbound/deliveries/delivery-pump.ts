import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Sweeper } from '../../../platform/jobs/sweeper';
import { Metrics } from '../../../platform/observability/metrics';
import { GuardedSender } from '../../../platform/security/network/guarded-sender';
import { type AttemptResult, outcomeOf } from './attempt-result';
import { type ClaimedDelivery, type ClaimLimits, DeliveryRecords } from './delivery-records';
import { DeliverySender } from './delivery-sender';

const SWEEP = 'webhooks.deliver';
const EVERY_MS = 500;
/** On this instance, together; half of them at most for endpoints that are failing. */
const MAX_IN_FLIGHT = 64;
const MAX_FAILING_IN_FLIGHT = 32;
/** For one endpoint on this instance. */
const LANES = 3;
const FAILING_LANES = 1;
/** Longer than any attempt with its time-out and the shutdown after it, so that only the dead lose a claim. */
const LEASE_SECONDS = 45;
const SHUTDOWN_WAIT_MS = 8_000;

/**
 * Sends what is due. Claims are short transactions; the sends run beside each other outside of any, a few for each endpoint,
 * so one that hangs holds up nobody else. At least once: what a killed process had claimed is due again after the lease.
 */
@Injectable()
export class DeliveryPump implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeliveryPump.name);
  private readonly inFlight = new Map<ClaimedDelivery, Promise<void>>();
  private sweeping: Promise<void> = Promise.resolve();
  private stopping = false;
  private abandoned = false;

  constructor(
    private readonly sweeper: Sweeper,
    private readonly records: DeliveryRecords,
    private readonly deliveries: DeliverySender,
    private readonly guardedSender: GuardedSender,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every(SWEEP, EVERY_MS, () => this.sweep());
  }

  /** Looks for what is due now instead of in half a second. */
  hurry(): void {
    this.sweeper.poke(SWEEP);
  }

  /** Starts what is due and does not wait for it; whatever finishes asks for more by itself. */
  async sweep(): Promise<boolean> {
    if (!this.stopping) {
      this.sweeping = this.claimAndStart();
      await this.sweeping;
    }
    return false;
  }

  /** Waits for the sends under way, but not longer than an orchestrator does; the rest is left to the lease. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    // A sweep that fails has already said so, and has started nothing.
    await this.sweeping.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SHUTDOWN_WAIT_MS);
    });
    await Promise.race([Promise.all(this.inFlight.values()), enough]);
    clearTimeout(timer);
    this.abandoned = this.inFlight.size > 0;
    await (this.abandoned ? this.guardedSender.destroy() : this.guardedSender.close());
  }

  private async claimAndStart(): Promise<void> {
    const limits = this.freeLimits();
    if (limits.slots <= 0) return;
    for (const delivery of await this.records.claim(limits, this.inFlightByEndpoint())) this.start(delivery);
  }

  private freeLimits(): ClaimLimits {
    const failing = [...this.inFlight.keys()].filter((delivery) => delivery.failing).length;
    return {
      slots: MAX_IN_FLIGHT - this.inFlight.size,
      failingSlots: MAX_FAILING_IN_FLIGHT - failing,
      lanes: LANES,
      failingLanes: FAILING_LANES,
      leaseSeconds: LEASE_SECONDS,
    };
  }

  private inFlightByEndpoint(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { endpoint_id: id } of this.inFlight.keys()) counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  }

  private start(delivery: ClaimedDelivery): void {
    this.inFlight.set(delivery, this.attempt(delivery));
  }

  private async attempt(delivery: ClaimedDelivery): Promise<void> {
    let moreDue = false;
    try {
      const result = await this.deliveries.attempt(delivery);
      if (this.abandoned) return;
      this.count(result);
      moreDue = await this.records.finish(delivery, result);
    } catch (error) {
      this.logger.error({ err: error, msg: `delivery ${delivery.id} could not be carried out and will be tried again after its lease` });
    }
    const wasFull = this.inFlight.size >= MAX_IN_FLIGHT;
    this.inFlight.delete(delivery);
    if (moreDue || wasFull) this.hurry();
  }

  private count(result: AttemptResult): void {
    this.metrics.increment('cpgateway_webhook_attempts_total', { outcome: outcomeOf(result) });
    this.metrics.observe('cpgateway_webhook_attempt_duration_seconds', {}, result.durationMs / 1000);
  }
}
