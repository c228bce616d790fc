import type { QueryConfig } from 'pg';
import { auditParameter } from '../audit/audit-event';
import type { FailureParameter } from '../fraud/guard/card-testing-guard';
import { isSmall } from '../fraud/signals/sightings';
import { type CurrencyCode, isCurrency } from '../money/currency';
import { newId } from '../platform/identifiers';
import { eventsParameter } from '../platform/outbox/outbox';
import type { Payment } from './payment';
import { presentPayment } from './payment-presenter';
import { type Arrival, bookingCurrency, type Movement, type Settlement } from './settlement';

/** The provider's event that a change settles, so that both commit together. */
export interface SettledEvent {
  source: string;
  eventId: string;
  status: 'applied' | 'ignored' | 'quarantined';
  outcome: string;
}

/** One decided change of a payment: what it becomes, the money that moves, and what is told. */
export interface PaymentChange {
  before: Payment;
  /** Only the fields that change; without any the payment's revision alone moves. */
  after: Partial<Pick<Payment, 'status' | 'exception' | 'review' | 'amountReceivedMinor' | 'feeMinor' | 'providerReference'>>;
  settlement?: Settlement;
  arrival?: Arrival;
  settles?: SettledEvent;
  /** Money that waited on this payment and is now for people to decide on: moved from `pending` to `unmatched`. */
  waiting?: { provider: string; reference: string; amountMinor: bigint; currency: CurrencyCode; reason: 'underpaid' | 'closed_payment' };
  /** Counted against card, customer and address. */
  failure?: FailureParameter;
  at: Date;
}

/** The payment after the change. */
export function changedPayment({ before, after, at }: PaymentChange): Payment {
  const payment = { ...before, ...after, updatedAt: at, revision: before.revision + 1n };
  const hasEnded = payment.status === 'expired' || payment.status === 'canceled';
  return payment.review === 'held' && hasEnded ? { ...payment, review: 'lapsed' } : payment;
}

/** A change from a settlement. */
export function changeFor(before: Payment, arrival: Arrival, settlement: Settlement, at: Date, settles?: SettledEvent): PaymentChange {
  const { status, exception, amountReceivedMinor, feeMinor, creditedMinor } = settlement;
  const providerReference = creditedMinor === undefined ? before.providerReference : (before.providerReference ?? arrival.reference);
  return { before, after: { status, exception, amountReceivedMinor, feeMinor, providerReference }, settlement, arrival, settles, at };
}

/** The one statement that writes a change: all of it commits, or none. See migrations/functions/change_payment.sql. */
export function changeStatement(change: PaymentChange): QueryConfig {
  const { before, settles, at } = change;
  const payment = changedPayment(change);
  const kind = eventTypeOf(before, payment);
  const shown = presentPayment(payment);
  return {
    name: 'change_payment',
    text: 'select change_payment($1, $2, $3, $4, $5, $6, $7, $8) as stopped',
    values: [
      JSON.stringify({
        client_id: before.clientId,
        livemode: before.livemode,
        id: before.id,
        revision: before.revision.toString(),
        status: payment.status,
        exception: payment.exception,
        amount_received_minor: payment.amountReceivedMinor.toString(),
        fee_minor: payment.feeMinor.toString(),
        provider_reference: payment.providerReference,
        review: payment.review,
        updated_at: at,
        ...learnFrom(before, payment),
      }),
      JSON.stringify(bookingsOf(change)),
      receiptOf(change),
      JSON.stringify(unmatchedOf(change)),
      auditParameter(before, [{ kind, objectId: before.id, before: presentPayment(before), after: shown }]),
      eventsParameter([{ type: kind, objectId: before.id, data: shown }], at),
      settles ? JSON.stringify({ source: settles.source, event_id: settles.eventId, status: settles.status, outcome: settles.outcome }) : null,
      change.failure ? JSON.stringify(change.failure) : null,
    ],
  };
}

/** Only what has come to a good end tells what is usual: what is merely tried would teach it what its author wants. */
function learnFrom(before: Payment, { status, payCurrency, amountReceivedMinor, customer }: Payment): { learn?: object } {
  if (before.status === 'succeeded' || status !== 'succeeded') return {};
  const small = isSmall(amountReceivedMinor, payCurrency);
  return { learn: { currency: payCurrency, amount_minor: amountReceivedMinor.toString(), customer, small } };
}

/** A change of status is told as that status; anything else that happens to a payment, going back to pending included, is an exception. */
function eventTypeOf(before: Payment, after: Payment): string {
  return before.status === after.status || after.status === 'pending' ? 'payment.exception' : `payment.${after.status}`;
}

function bookingsOf({ before, settlement, arrival, waiting }: PaymentChange): object[] {
  const currency = waiting?.currency ?? (arrival ? bookingCurrency(arrival) : ownCurrency(before));
  const movements: readonly Movement[] = waiting
    ? [{ debit: 'pending', credit: 'unmatched', amountMinor: waiting.amountMinor, code: waiting.reason === 'underpaid' ? 'expired_part' : 'rejected' }]
    : (settlement?.movements ?? []);
  if (!currency || movements.length === 0) return [];
  return [{
    currency,
    transfers: movements.map(({ debit, credit, amountMinor, code }) => ({
      id: newId('tr'), debit, credit, amount_minor: amountMinor.toString(), code, state: 'posted', reference_id: before.id,
    })),
  }];
}

function ownCurrency({ payCurrency }: Payment): CurrencyCode | undefined {
  return isCurrency(payCurrency) ? payCurrency : undefined;
}

function receiptOf({ before, settlement, arrival, at }: PaymentChange): string | null {
  if (!arrival || settlement?.creditedMinor === undefined) return null;
  return JSON.stringify({
    client_id: before.clientId,
    livemode: before.livemode,
    provider: arrival.provider,
    reference: arrival.reference,
    payment_id: before.id,
    amount_minor: arrival.amountMinor.toString(),
    credited_minor: settlement.creditedMinor.toString(),
    currency: arrival.currency,
    received_at: at,
  });
}

function unmatchedOf({ before, settlement, arrival, waiting, at }: PaymentChange): object[] {
  const kept = waiting
    ? { ...waiting, wish: waiting.reason === 'underpaid' ? 'review' : 'refund' }
    : arrival && settlement?.unmatched && { provider: arrival.provider, reference: arrival.reference, currency: arrival.currency, ...settlement.unmatched };
  if (!kept) return [];
  return [{
    provider: kept.provider,
    reference: kept.reference,
    client_id: before.clientId,
    // Money of the other mode is never money of this book.
    livemode: kept.reason === 'wrong_mode' ? arrival?.livemode : before.livemode,
    payment_id: before.id,
    amount_minor: kept.amountMinor.toString(),
    currency: kept.currency,
    reason: kept.reason,
    wish: kept.wish,
    booked: waiting !== undefined || (settlement?.movements.length ?? 0) > 0,
    received_at: at,
  }];
}
