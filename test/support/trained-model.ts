import { BackTest } from '../../src/fraud/model/back-test';
import { DAY_MS } from '../../src/fraud/model/facts';
import type { LabelledPayment } from '../../src/fraud/model/history';
import type { TrainedModel } from '../../src/fraud/model/model-store';
import { randomOf } from '../../src/fraud/model/random';

/** Days of two hundred payments each, by strangers. One in five is ten times as large as the rest, and a fraud. */
export function labelledDays(days: number): LabelledPayment[] {
  const random = randomOf(7);
  return Array.from({ length: days * 200 }, (_, at) => {
    const isFraud = random() < 1 / 5;
    const amount = (isFraud ? 200 : 20) * (0.8 + 0.4 * random());
    return { at: (20_000 + at / 200) * DAY_MS, customer: String(at), terminal: String(Math.floor(random() * 20)), amount, isFraud };
  });
}

/** A model that finds amounts of some 200 suspicious, and such of some 20 not. */
export function trainedModel(): TrainedModel {
  const split = { trainStart: 20_007, trainDays: 7, delayDays: 7, testDays: 5 };
  const test = new BackTest(split);
  for (const payment of labelledDays(26)) test.add(payment);
  return { result: test.finish(1), split, seed: 1, trainedOn: 'made up' };
}
