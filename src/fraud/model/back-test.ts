import { DAY_MS, dayOf } from './facts';
import { featuresOf } from './features';
import { History, type LabelledPayment } from './history';
import { aucRoc, averagePrecision, cardPrecision, type ScoredPayment } from './metrics';
import { type FraudModel, logOdds, probabilityOf } from './model';
import { Split, type SplitDays } from './split';
import { train } from './training';

/** Rows and the frauds among them. */
export interface Counted {
  rows: number;
  frauds: number;
}

/** How well frauds were told apart. */
export interface Measured {
  aucRoc: number;
  averagePrecision: number;
  cardPrecision: number;
}

/** How well a model told frauds that it had not seen, in a time after its training. */
export interface BackTestResult extends Measured {
  train: Counted;
  test: Counted;
  model: FraudModel;
  /** The same of the score of the rules, where every payment of the test has come with one. */
  rules?: Measured;
}

/** A payment of the past, with the score that rules give it where that is known. */
export interface ReplayedPayment extends LabelledPayment {
  ruleScore?: number;
}

/** A back-test that says nothing: what is missing, for people. */
export class EmptySplitError extends Error {}

/** Each day so many customers are looked at. */
export const CARDS_A_DAY = 100;

/** Replays payments in the order of time, and then trains on one span of days and measures on a later one. */
export class BackTest {
  private readonly history: History;
  private readonly split: Split;
  private readonly vectors: Float64Array[] = [];
  private readonly labels: boolean[] = [];
  private readonly tests: { payment: ReplayedPayment; vector: Float64Array }[] = [];

  constructor(days: SplitDays) {
    this.history = new History(days.delayDays * DAY_MS);
    this.split = new Split(days);
  }

  /** Takes the next payment. Answers false once no later one can matter. */
  add(payment: ReplayedPayment): boolean {
    if (dayOf(payment.at) >= this.split.end) return false;
    const part = this.split.partOf(payment);
    if (part === 'train') {
      this.vectors.push(featuresOf(this.history.factsOf(payment)));
      this.labels.push(payment.isFraud);
    }
    if (part === 'test') this.tests.push({ payment, vector: featuresOf(this.history.factsOf(payment)) });
    this.history.add(payment);
    return true;
  }

  /** Trains and measures. Throws EmptySplitError when a part has no rows or no frauds. */
  finish(seed: number): BackTestResult {
    const trained = { rows: this.labels.length, frauds: this.labels.filter(Boolean).length };
    const tested = { rows: this.tests.length, frauds: this.tests.filter(({ payment }) => payment.isFraud).length };
    demand(trained, 'training');
    demand(tested, 'test');
    const model = train({ vectors: this.vectors, labels: this.labels }, seed);
    const rules = this.tests.every(({ payment }) => payment.ruleScore !== undefined) ? this.measure(({ payment }) => payment.ruleScore!) : undefined;
    return { train: trained, test: tested, ...this.measure(({ vector }) => probabilityOf(model, logOdds(model, vector))), model, ...(rules ? { rules } : {}) };
  }

  private measure(scoreOf: (test: { payment: ReplayedPayment; vector: Float64Array }) => number): Measured {
    const scored = this.tests.map((test): ScoredPayment => {
      const { at, customer, isFraud } = test.payment;
      return { day: dayOf(at), customer, isFraud, score: scoreOf(test) };
    });
    return { aucRoc: aucRoc(scored), averagePrecision: averagePrecision(scored), cardPrecision: cardPrecision(scored, CARDS_A_DAY) };
  }
}

function demand({ rows, frauds }: Counted, part: string): void {
  if (rows === 0) throw new EmptySplitError(`There are no rows in the days of the ${part}.`);
  if (frauds === 0) {
    throw new EmptySplitError(`There is no fraud among the ${rows} rows of the ${part}: nothing can be learned or measured.`);
  }
  if (frauds === rows) throw new EmptySplitError(`There are only frauds in the ${part}: nothing can be learned or measured.`);
}
