import { exponentOf, type CurrencyCode } from '../../money/currency';
import { DAY_MS, type EarlierPayment, LABEL_DELAY_DAYS, type PaymentFacts, type UsualAmounts } from './facts';

/** What the database knows beside the payment itself, as risk_model_facts answers it. */
export interface StoredFacts {
  recent: readonly (readonly [at: number, amountMinor: string, isKnownFraud: boolean])[];
  days: readonly (readonly [day: number, payments: number, knownFrauds: number, ordinaryFrauds: number])[];
}

/** A payment that is asked for. */
export interface AskedPayment {
  at: Date;
  amountMinor: bigint;
  currency: CurrencyCode;
}

/** Minor units as a plain number of units, for comparing only. */
export function plainUnits(amountMinor: bigint | string, currency: CurrencyCode): number {
  return Number(amountMinor) / 10 ** exponentOf(currency);
}

/** What a payment is scored by while the gateway runs: the same figures that the training has replayed. */
export function factsOf({ at, amountMinor, currency }: AskedPayment, { recent, days }: StoredFacts): PaymentFacts {
  const earlier = recent.map(([then, minor, isKnownFraud]) => ({ at: then, amount: plainUnits(minor, currency), isKnownFraud }));
  return {
    payment: { at: at.getTime(), amount: plainUnits(amountMinor, currency) },
    recent: earlier,
    usual: usualOf(earlier, at.getTime() - LABEL_DELAY_DAYS * DAY_MS),
    days: days.map(([day, payments, knownFrauds, ordinaryFrauds]) => ({ day, payments, knownFrauds, ordinaryFrauds })),
  };
}

/** Of those whose time for complaints is over and that are no frauds. */
function usualOf(earlier: readonly EarlierPayment[], until: number): UsualAmounts {
  const amounts = earlier.filter(({ at, isKnownFraud }) => at <= until && !isKnownFraud).map(({ amount }) => amount);
  if (amounts.length === 0) return { count: 0, mean: 0, deviation: 0, max: 0 };
  const mean = meanOf(amounts);
  return { count: amounts.length, mean, deviation: Math.sqrt(meanOf(amounts.map((amount) => (amount - mean) ** 2))), max: Math.max(...amounts) };
}

const meanOf = (figures: readonly number[]) => figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
