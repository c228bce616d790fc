import { isCurrency, type CurrencyCode } from '../money/currency';
import { feeFor } from '../money/rounding';
import type { Payment, PaymentMethod } from './payment';
import { type PaymentRules, toleranceMinor } from './payment-rules';
import { type PaymentException, type PaymentStatus, statusAfter } from './payment-state';

/** Money that a provider says has arrived. */
export interface Arrival {
  provider: string;
  /** The provider's own name for this money; one reference is one credit, however often it is told. */
  reference: string;
  amountMinor: bigint;
  currency: string;
  /** What the provider was asked to collect, when it says so. */
  expectedAmountMinor?: bigint;
  livemode?: boolean;
  occurredAt: Date;
}

export type UnmatchedReason =
  | 'no_payment' | 'wrong_mode' | 'wrong_method' | 'wrong_amount' | 'wrong_currency'
  | 'late' | 'underpaid' | 'overpaid' | 'closed_payment';

/** A movement between two accounts of the payment's book, in the currency that arrived. */
export interface Movement {
  debit: 'provider' | 'pending' | 'available' | 'unmatched';
  credit: 'available' | 'pending' | 'unmatched' | 'fees';
  amountMinor: bigint;
  code: string;
}

/** What becomes of a payment and of the money, decided in full before anything is written. */
export interface Settlement {
  status: PaymentStatus;
  exception: PaymentException | null;
  amountReceivedMinor: bigint;
  feeMinor: bigint;
  movements: Movement[];
  /** How much of the arrival the payment takes; undefined when it takes none. */
  creditedMinor?: bigint;
  /** What is left for people, and what the merchant's rules wish for it. */
  unmatched?: { amountMinor: bigint; reason: UnmatchedReason; wish: 'review' | 'refund' };
  /** One line for people. */
  outcome: string;
}

/** Cards are charged what was asked, so another amount means another purchase; the open methods take what the payer sends. */
const EXACT_METHODS: ReadonlySet<PaymentMethod> = new Set(['card']);

/**
 * Decides what an arrival that was not counted before does to a payment. Pure: the same inputs give the same answer, and
 * the caller writes it only if the payment has not moved since.
 */
export function settle(payment: Payment, arrival: Arrival, rules: PaymentRules): Settlement {
  return holdBack(payment, settleOpen(payment, arrival, rules));
}

function settleOpen(payment: Payment, arrival: Arrival, rules: PaymentRules): Settlement {
  const misfit = misfitOf(payment, arrival);
  if (misfit) return putAside(payment, arrival, misfit, 'review');
  if (payment.status === 'canceled') return putAside(payment, arrival, 'closed_payment', payment.review === 'rejected' ? 'refund' : 'review');
  if (payment.status === 'succeeded' || isPaidUnderReview(payment)) return paidAgain(payment, arrival, rules);
  const isLate = arrival.occurredAt > payment.expiresAt;
  // An expired payment's earlier part has gone to the unmatched deposits, or is about to, so no rest can complete it any more,
  // not even one that came in time and is only told of now.
  const isOver = isLate || payment.status === 'expired';
  // Nobody has looked at it, so people decide now.
  const isHeldOver = isOver && (payment.review === 'held' || payment.review === 'lapsed');
  if (isHeldOver || (isLate && rules.late === 'queue') || (isOver && payment.amountReceivedMinor > 0n)) return overdue(payment, arrival, isLate);
  return firstPayment(payment, arrival, rules, isLate);
}

/**
 * Decides the same for money that people say belongs to this payment, against the merchant's rules where they would turn it away:
 * all of it is credited, whatever its amount and however late. The caller has compared its currency and its book.
 */
export function creditAnyway(payment: Payment, arrival: Arrival, rules: PaymentRules): Settlement {
  const isLate = arrival.occurredAt > payment.expiresAt;
  const mayWait = rules.underpaid === 'wait' && !isLate && payment.status !== 'expired';
  const taking: PaymentRules = { ...rules, underpaid: mayWait ? 'wait' : 'credit', overpaid: 'credit', late: 'credit_locked' };
  return payment.status === 'succeeded' ? paidAgain(payment, arrival, taking) : firstPayment(payment, arrival, taking, isLate);
}

/** Gives an expired payment back the part that it had received and that went to the unmatched deposits: nothing new has arrived. */
export function takeBackPart(payment: Payment): Settlement {
  return letGo(payment, 'unmatched', 'underpaid');
}

function letGo(payment: Payment, from: 'pending' | 'unmatched', exception: PaymentException | null): Settlement {
  const { amountReceivedMinor } = payment;
  const feeMinor = feeFor(amountReceivedMinor, payment.feeBps);
  const movements: Movement[] = [
    { debit: from, credit: 'available', amountMinor: amountReceivedMinor, code: 'payment_released' },
    { debit: 'available', credit: 'fees', amountMinor: feeMinor, code: 'fee' },
  ];
  return {
    status: statusAfter(payment.status, 'succeed')!,
    exception,
    amountReceivedMinor,
    feeMinor,
    movements: movements.filter(({ amountMinor }) => amountMinor > 0n),
    outcome: exception ? `credited, ${exception}` : 'credited',
  };
}

/**
 * What is paid under review is not the merchant's yet: all of it waits in `pending`, without a fee, until people release it. A part that
 * waited there already stays.
 */
function holdBack(payment: Payment, decided: Settlement): Settlement {
  if (payment.review !== 'held' || decided.status !== 'succeeded') return decided;
  const movements = decided.movements
    .filter(({ debit, credit }) => debit !== 'pending' && credit !== 'fees')
    .map((movement) => (movement.credit === 'available' ? { ...movement, credit: 'pending' as const, code: 'partial_payment' } : movement));
  return { ...decided, status: statusAfter(payment.status, 'hold')!, feeMinor: 0n, movements, outcome: `${decided.outcome}, held for review` };
}

/** All that was asked for is there, and waits for people. */
export function isPaidUnderReview({ review, status, amountReceivedMinor }: Payment): boolean {
  return review === 'held' && status === 'processing' && amountReceivedMinor > 0n;
}

/** Lets the money of a payment go that was paid under review: nothing new has arrived. */
export function release(payment: Payment): Settlement {
  return letGo(payment, 'pending', payment.exception);
}

function misfitOf(payment: Payment, arrival: Arrival): UnmatchedReason | undefined {
  if (arrival.livemode !== undefined && arrival.livemode !== payment.livemode) return 'wrong_mode';
  if (arrival.currency !== payment.payCurrency) return 'wrong_currency';
  const asked = arrival.expectedAmountMinor ?? arrival.amountMinor;
  if (EXACT_METHODS.has(payment.method) && (asked !== payment.payAmountMinor || arrival.amountMinor !== payment.payAmountMinor)) {
    return 'wrong_amount';
  }
  return undefined;
}

/** Too little, enough or too much, for a payment that has not succeeded yet. */
function firstPayment(payment: Payment, arrival: Arrival, rules: PaymentRules, isLate: boolean): Settlement {
  const received = payment.amountReceivedMinor + arrival.amountMinor;
  const tolerance = toleranceMinor(rules, payment.method, payment.payCurrency);
  if (received < payment.payAmountMinor - tolerance) {
    // Nothing can be waited for once the time is over.
    if (rules.underpaid === 'wait' && (isLate || payment.status === 'expired')) return overdue(payment, arrival, isLate);
    if (rules.underpaid === 'wait') return waiting(payment, arrival, received);
    if (rules.underpaid === 'refund') return { ...putAside(payment, arrival, 'underpaid', 'refund'), exception: 'underpaid' };
    return success(payment, arrival, arrival.amountMinor, isLate ? 'paid_late' : 'underpaid');
  }
  if (received <= payment.payAmountMinor + tolerance) return success(payment, arrival, arrival.amountMinor, isLate ? 'paid_late' : null);
  const excess = received - payment.payAmountMinor;
  const credited = rules.overpaid === 'refund' ? arrival.amountMinor - excess : arrival.amountMinor;
  return success(payment, arrival, credited, isLate ? 'paid_late' : 'overpaid');
}

/** Money for a payment that has succeeded already: it is more than was asked, whatever its amount. */
function paidAgain(payment: Payment, arrival: Arrival, rules: PaymentRules): Settlement {
  const exception = payment.exception ?? 'overpaid';
  if (rules.overpaid === 'refund') return { ...putAside(payment, arrival, 'overpaid', 'refund'), exception };
  return success(payment, arrival, arrival.amountMinor, exception);
}

function success(payment: Payment, arrival: Arrival, creditedMinor: bigint, exception: PaymentException | null): Settlement {
  const hadSucceeded = payment.status === 'succeeded';
  const waitedMinor = hadSucceeded ? 0n : payment.amountReceivedMinor;
  const receivedMinor = payment.amountReceivedMinor + creditedMinor;
  const feeMinor = feeFor(receivedMinor, payment.feeBps);
  const excess = arrival.amountMinor - creditedMinor;
  const movements: Movement[] = [
    { debit: 'provider', credit: 'available', amountMinor: creditedMinor, code: 'payment' },
    { debit: 'pending', credit: 'available', amountMinor: waitedMinor, code: 'payment_released' },
    { debit: 'available', credit: 'fees', amountMinor: feeMinor - payment.feeMinor, code: 'fee' },
    { debit: 'provider', credit: 'unmatched', amountMinor: excess, code: 'unmatched' },
  ];
  return {
    status: hadSucceeded ? 'succeeded' : statusAfter(payment.status, 'succeed')!,
    exception,
    amountReceivedMinor: receivedMinor,
    feeMinor,
    movements: movements.filter(({ amountMinor }) => amountMinor > 0n),
    creditedMinor,
    unmatched: excess > 0n ? { amountMinor: excess, reason: 'overpaid', wish: 'refund' } : undefined,
    outcome: exception ? `credited, ${exception}` : 'credited',
  };
}

function waiting(payment: Payment, arrival: Arrival, receivedMinor: bigint): Settlement {
  return {
    status: statusAfter(payment.status, 'wait') ?? payment.status,
    exception: 'underpaid',
    amountReceivedMinor: receivedMinor,
    feeMinor: 0n,
    movements: [{ debit: 'provider', credit: 'pending', amountMinor: arrival.amountMinor, code: 'partial_payment' }],
    creditedMinor: arrival.amountMinor,
    outcome: 'waiting for the rest',
  };
}

/** For people to decide on: it came too late, or in time but as a part of a payment that expired before the rest was there. */
function overdue(payment: Payment, arrival: Arrival, isLate: boolean): Settlement {
  const exception = isLate ? 'paid_late' : 'underpaid';
  return { ...putAside(payment, arrival, isLate ? 'late' : 'underpaid', 'review'), exception };
}

/** The payment stays as it is; the money is booked as unmatched, where its currency and mode let it be booked at all. */
function putAside(payment: Payment, arrival: Arrival, reason: UnmatchedReason, wish: 'review' | 'refund'): Settlement {
  const bookable = reason !== 'wrong_mode' && isCurrency(arrival.currency);
  return {
    status: payment.status,
    exception: payment.exception,
    amountReceivedMinor: payment.amountReceivedMinor,
    feeMinor: payment.feeMinor,
    movements: bookable ? [{ debit: 'provider', credit: 'unmatched', amountMinor: arrival.amountMinor, code: 'unmatched' }] : [],
    unmatched: { amountMinor: arrival.amountMinor, reason, wish },
    outcome: `kept as an unmatched deposit: ${reason}`,
  };
}

/** The currency that a settlement books in: the one that arrived. */
export function bookingCurrency(arrival: Arrival): CurrencyCode | undefined {
  return isCurrency(arrival.currency) ? arrival.currency : undefined;
}
