import { dayOf, type DayTally, LABEL_DELAY_DAYS, NEVER, type PaymentFacts } from './facts';

/** What the known frauds of an acceptance point add up to. Ages are whole days before the payment. */
export interface PointRecord {
  /** Known frauds of the newest 30 days whose outcomes are known. */
  knownFrauds: number;
  /** Those with an ordinary amount, and what share of all payments they are, over the newest 7, 14 and 30 days with known outcomes. */
  ordinaryFrauds: number;
  ordinaryShareWeek: number;
  ordinaryShareFortnight: number;
  ordinaryShareMonth: number;
  newestAge: number;
  oldestAge: number;
  /** Payments without a fraud since the newest ordinary fraud, out of those whose outcome is known. */
  cleanSince: number;
  /** Payments that would have been found out between the oldest and the newest ordinary fraud, but are none. */
  cleanBetween: number;
}

/** Adds up the days of an acceptance point. Ages and gaps are of ordinary frauds: a large one says more of the card than of the point. */
export function pointRecord({ payment, days }: Pick<PaymentFacts, 'payment' | 'days'>): PointRecord {
  const today = dayOf(payment.at);
  const withFrauds = days.filter(({ ordinaryFrauds }) => ordinaryFrauds > 0);
  const oldest = withFrauds[0]?.day ?? -Infinity;
  const newest = withFrauds.at(-1)?.day ?? -Infinity;
  const cleanIn = (from: number, to: number) => sumOf(days, from, to, ({ payments, knownFrauds }) => payments - knownFrauds);
  // The outcomes of the day exactly so long ago come in during today; a day is told clean only when all of them are there.
  const lastDay = today - LABEL_DELAY_DAYS;
  return {
    knownFrauds: sumOf(days, lastDay - 29, lastDay, ({ knownFrauds }) => knownFrauds),
    ordinaryFrauds: sumOf(days, lastDay - 29, lastDay, ({ ordinaryFrauds }) => ordinaryFrauds),
    ordinaryShareWeek: ordinaryShare(days, lastDay - 6, lastDay),
    ordinaryShareFortnight: ordinaryShare(days, lastDay - 13, lastDay),
    ordinaryShareMonth: ordinaryShare(days, lastDay - 29, lastDay),
    newestAge: newest > 0 ? today - newest : NEVER,
    oldestAge: oldest > 0 ? today - oldest : NEVER,
    cleanSince: newest > 0 ? cleanIn(newest, lastDay - 1) : 0,
    cleanBetween: newest > oldest ? cleanIn(oldest, newest - 1) : 0,
  };
}

function ordinaryShare(days: readonly DayTally[], from: number, to: number): number {
  return sumOf(days, from, to, ({ ordinaryFrauds }) => ordinaryFrauds) / Math.max(1, sumOf(days, from, to, ({ payments }) => payments));
}

function sumOf(days: readonly DayTally[], from: number, to: number, of: (tally: DayTally) => number): number {
  let sum = 0;
  for (const tally of days) if (tally.day >= from && tally.day <= to) sum += of(tally);
  return sum;
}
