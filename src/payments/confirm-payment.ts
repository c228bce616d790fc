import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SecurityLog } from '../audit/security-log';
import { CardTestingGuard, type FailureParameter, type Stopped } from '../fraud/guard/card-testing-guard';
import { SQLSTATE, sqlStateOf } from '../platform/database/database-errors';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { type ProviderEvent, type ProviderEventResult, ProviderEvents } from '../platform/providers/provider-event';
import { CHAIN_SOURCE, ChainNotices } from './chain/chain-notices';
import { changeFor, changeStatement, type PaymentChange } from './payment-change';
import { findByProvider, type FoundPayment } from './payment-lookup';
import type { Payment, PaymentMethod } from './payment';
import { paymentRulesOf } from './payment-rules';
import { statusAfter } from './payment-state';
import { type Arrival, settle, type UnmatchedReason } from './settlement';
import { decidingAgain } from './write-change';

/** Which methods a source may settle. An event about another method is not believed, however well it is signed. */
const SETTLES: Readonly<Record<string, readonly PaymentMethod[]>> = {
  stripe: ['card'],
  generic: ['card', 'simulated'],
};

/** What is to be done with an event: change a payment, put the money aside, or nothing. */
type Verdict = { change: PaymentChange } | { result: ProviderEventResult; deposit?: object; failure?: FailureParameter; payment?: Payment };

/** Applies a provider's events to payments: read, decide, and write in one statement that fails if the payment has moved. */
@Injectable()
export class ConfirmPayment implements OnModuleInit {
  private readonly logger = new Logger(ConfirmPayment.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly events: ProviderEvents,
    private readonly securityLog: SecurityLog,
    private readonly chainNotices: ChainNotices,
    private readonly guard: CardTestingGuard,
  ) {}

  onModuleInit(): void {
    this.events.register((event) => this.apply(event));
  }

  /** Exactly once, in any order: a repetition finds the reference counted, the payment moved, or the event settled. */
  async apply(event: ProviderEvent): Promise<ProviderEventResult> {
    try {
      if (event.source === CHAIN_SOURCE) return await this.chainNotices.apply(event);
      return await decidingAgain(async () => this.write(event, this.decide(event, await this.find(event))));
    } catch (error) {
      if (sqlStateOf(error) === SQLSTATE.eventSettled) return { status: 'ignored', outcome: 'settled by another instance' };
      throw error;
    }
  }

  private find({ source, subject }: ProviderEvent): Promise<FoundPayment | undefined> {
    return findByProvider(this.unitOfWork, source, subject.reference, subject.paymentId);
  }

  private decide(event: ProviderEvent, found: FoundPayment | undefined): Verdict {
    if (event.kind === 'ignored') return nothing(`${event.type} changes no payment`);
    if (!found) return event.kind === 'payment.succeeded' ? aside(event, undefined, 'no_payment') : nothing('no payment of ours');
    const { payment } = found;
    if (event.subject.paymentId && event.subject.paymentId !== payment.id) {
      return { result: { status: 'quarantined', outcome: `the reference belongs to ${payment.id}, the event names another payment` } };
    }
    if (event.kind === 'payment.succeeded' && found.counted) return nothing('this money was credited, or kept as an unmatched deposit, before');
    if (event.livemode !== undefined && event.livemode !== payment.livemode) return aside(event, payment, 'wrong_mode');
    if (!SETTLES[event.source]?.includes(payment.method)) return aside(event, payment, 'wrong_method');
    if (event.kind === 'payment.succeeded') return this.decideArrival(event, found);
    return this.decideProgress(event, payment);
  }

  private decideProgress(event: ProviderEvent, payment: Payment): Verdict {
    const status = statusAfter(payment.status, event.kind === 'payment.processing' ? 'process' : 'fail');
    const at = new Date();
    // Counted when it happened: what a backlog brings at once did not happen at once.
    const failedAt = event.occurredAt < at ? event.occurredAt : at;
    const failure = event.kind === 'payment.failed' ? this.guard.failureOf(payment, event.cardFingerprint, failedAt) : undefined;
    // Each attempt that failed counts against its card, whatever has become of the payment meanwhile.
    if (!status || payment.amountReceivedMinor > 0n) return { ...nothing(`the payment is ${payment.status} already`), failure, payment };
    const outcome = event.failureCode ? `${status}: ${event.failureCode}` : status;
    const settles = { source: event.source, eventId: event.eventId, status: 'applied', outcome } as const;
    // A sign of life answers what was unknown; what is unusual about money that came stays, whichever was told first.
    const exception = payment.exception === 'unknown' ? null : payment.exception;
    return { change: { before: payment, after: { status, exception }, settles, failure, at } };
  }

  private decideArrival(event: ProviderEvent, { payment, clientSettings }: FoundPayment): Verdict {
    const arrival = arrivalOf(event);
    if (!arrival) return nothing('no money arrived');
    const settlement = settle(payment, arrival, paymentRulesOf(clientSettings));
    const status = settlement.creditedMinor === undefined ? 'quarantined' : 'applied';
    const settles = { source: event.source, eventId: event.eventId, status, outcome: settlement.outcome } as const;
    return { change: changeFor(payment, arrival, settlement, new Date(), settles) };
  }

  private async write(event: ProviderEvent, verdict: Verdict): Promise<ProviderEventResult> {
    if ('change' in verdict) {
      // Unlike a request, a job decides again itself: the statement is bound to what it read.
      const [row] = await this.unitOfWork.once<{ stopped: Stopped }>(changeStatement(verdict.change));
      await this.guard.tell(verdict.change.before, verdict.change.before.id, row!.stopped);
      const { status, outcome } = verdict.change.settles!;
      if (status === 'quarantined') await this.alert(event, outcome);
      return { status, outcome };
    }
    const inbox = { source: event.source, event_id: event.eventId, ...verdict.result };
    const [row] = await this.unitOfWork.once<{ stopped: Stopped }>({
      name: 'quarantine_event',
      text: 'select quarantine_event($1, $2, $3) as stopped',
      values: [JSON.stringify(inbox), verdict.deposit ? JSON.stringify(verdict.deposit) : null, verdict.failure ? JSON.stringify(verdict.failure) : null],
    });
    if (verdict.payment) await this.guard.tell(verdict.payment, verdict.payment.id, row!.stopped);
    if (verdict.result.status === 'quarantined') await this.alert(event, verdict.result.outcome);
    return verdict.result;
  }

  private async alert(event: ProviderEvent, outcome: string): Promise<void> {
    this.logger.warn(`event ${event.eventId} of ${event.source}: ${outcome}`);
    await this.securityLog.write({
      kind: 'deposit.unmatched',
      severity: 'high',
      source: `${event.source}:${event.eventId}`,
      action: outcome,
      details: { source: event.source, event_id: event.eventId, type: event.type, payment_id: event.subject.paymentId },
    });
  }
}

function arrivalOf({ source, subject, livemode, occurredAt }: ProviderEvent): Arrival | undefined {
  const { reference, amountMinor, currency, expectedAmountMinor } = subject;
  if (!reference || !amountMinor || !currency) return undefined;
  return { provider: source, reference, amountMinor, currency, expectedAmountMinor, livemode, occurredAt };
}

function nothing(outcome: string): { result: ProviderEventResult } {
  return { result: { status: 'ignored', outcome } };
}

/** Money that cannot be booked for this payment is kept with all that is known of it; a mere notice of progress holds none. */
function aside(event: ProviderEvent, payment: Payment | undefined, reason: UnmatchedReason): Verdict {
  const result = { status: 'quarantined', outcome: `kept as an unmatched deposit: ${reason}` } as const;
  const arrival = event.kind === 'payment.succeeded' ? arrivalOf(event) : undefined;
  if (!arrival) return { result: { status: 'quarantined', outcome: `put aside: ${reason}` } };
  return {
    result,
    deposit: {
      provider: arrival.provider,
      reference: arrival.reference,
      client_id: payment?.clientId,
      livemode: event.livemode ?? payment?.livemode,
      payment_id: payment?.id,
      amount_minor: arrival.amountMinor.toString(),
      currency: arrival.currency,
      reason,
      wish: 'review',
      received_at: new Date(),
    },
  };
}
