import { DAY_MS, dayOf, type DayTally, type EarlierPayment, LARGE, type PaymentFacts, usualAmount, type UsualAmounts } from './facts';

/** A payment of the past with what became of it. */
export interface LabelledPayment {
  at: number;
  customer: string;
  terminal: string;
  amount: number;
  isFraud: boolean;
}

/** A payment whose outcome is not known yet. */
interface Undecided {
  payment: LabelledPayment;
  entry: EarlierPayment;
  tally: DayTally;
}

interface Customer {
  recent: EarlierPayment[];
  count: number;
  sum: number;
  sumOfSquares: number;
  max: number;
}

const RECENT_DAYS = 30;
const RECENT_COUNT = 200;
const TALLY_DAYS = 60;

/**
 * Replays payments in the order of time and tells at each moment what was known then. An outcome is known `labelDelayMs` after its payment
 * and not before.
 */
export class History {
  private readonly customers = new Map<string, Customer>();
  private readonly terminals = new Map<string, DayTally[]>();
  private undecided: Undecided[] = [];
  private nextUndecided = 0;

  constructor(private readonly labelDelayMs: number) {}

  /** What was known just before a payment. Moments must not go back. */
  factsOf({ at, amount, customer, terminal }: Omit<LabelledPayment, 'isFraud'>): PaymentFacts {
    this.learnUntil(at);
    const known = this.customers.get(customer);
    const firstDay = dayOf(at) - TALLY_DAYS;
    return {
      payment: { at, amount },
      recent: known ? trimmed(known.recent, at) : [],
      usual: usualOf(known),
      days: (this.terminals.get(terminal) ?? []).filter(({ day }) => day > firstDay),
    };
  }

  /** Takes a payment into the past. */
  add(payment: LabelledPayment): void {
    this.learnUntil(payment.at);
    const entry = { at: payment.at, amount: payment.amount, isKnownFraud: false };
    const customer = this.customerOf(payment.customer);
    customer.recent.push(entry);
    // Cut now and then: what is too old is left out whenever the facts are read.
    if (customer.recent.length > 2 * RECENT_COUNT) customer.recent = trimmed(customer.recent, payment.at);
    this.undecided.push({ payment, entry, tally: this.count(payment) });
  }

  private customerOf(name: string): Customer {
    const known = this.customers.get(name);
    if (known) return known;
    const made = { recent: [], count: 0, sum: 0, sumOfSquares: 0, max: 0 };
    this.customers.set(name, made);
    return made;
  }

  private count({ terminal, at }: LabelledPayment): DayTally {
    const day = dayOf(at);
    const days = this.terminals.get(terminal) ?? [];
    const last = days.at(-1);
    const tally = last?.day === day ? last : { day, payments: 0, knownFrauds: 0, ordinaryFrauds: 0 };
    tally.payments += 1;
    if (tally !== last) {
      days.push(tally);
      if (days[0].day <= day - TALLY_DAYS) days.shift();
      this.terminals.set(terminal, days);
    }
    return tally;
  }

  private learnUntil(now: number): void {
    while (this.nextUndecided < this.undecided.length) {
      const next = this.undecided[this.nextUndecided];
      if (next.payment.at + this.labelDelayMs > now) break;
      this.learn(next);
      this.nextUndecided += 1;
    }
    if (this.nextUndecided > 100_000) {
      this.undecided = this.undecided.slice(this.nextUndecided);
      this.nextUndecided = 0;
    }
  }

  private learn({ payment, entry, tally }: Undecided): void {
    const customer = this.customerOf(payment.customer);
    if (payment.isFraud) {
      const usual = usualAmount({ usual: usualOf(customer), recent: customer.recent, payment });
      entry.isKnownFraud = true;
      tally.knownFrauds += 1;
      tally.ordinaryFrauds += payment.amount <= LARGE * usual ? 1 : 0;
      return;
    }
    customer.count += 1;
    customer.sum += payment.amount;
    customer.sumOfSquares += payment.amount ** 2;
    customer.max = Math.max(customer.max, payment.amount);
  }
}

/** The payments of the last days, at most the newest so many. */
function trimmed(recent: EarlierPayment[], now: number): EarlierPayment[] {
  const oldest = now - RECENT_DAYS * DAY_MS;
  const from = recent.findIndex(({ at }) => at >= oldest);
  return from < 0 ? [] : recent.slice(Math.max(from, recent.length - RECENT_COUNT));
}

function usualOf(customer: Customer | undefined): UsualAmounts {
  if (!customer || customer.count === 0) return { count: 0, mean: 0, deviation: 0, max: 0 };
  const { count, sum, sumOfSquares, max } = customer;
  const mean = sum / count;
  return { count, mean, deviation: Math.sqrt(Math.max(0, sumOfSquares / count - mean ** 2)), max };
}
