import { AMOUNT_RULES, type AmountFacts } from './amount-rules';
import { assess, counted, type Risk, type RiskRule, spanText } from './risk';

/** What is known when a withdrawal is asked for. Histories are of the same book and currency, and of withdrawals that were completed. */
export interface WithdrawalFacts extends AmountFacts {
  /** When money last came in; null when none ever did. */
  lastDepositAt: Date | null;
  /** Asked for within the last 60 minutes and 24 hours before this one, whatever became of them. */
  countLastHour: number;
  countLastDay: number;
  /** How many a day are usual for this client; 0 for one without a history. */
  usualPerDay: number;
  destinationAgeSeconds: number;
  /** A withdrawal to it was completed before. */
  destinationUsedBefore: boolean;
  now: Date;
}

const DAY_SECONDS = 86_400;
const DEPOSIT_DAYS = 7;
/** Longer than the cool-off, or no destination that may be used would ever be new. */
const NEW_DESTINATION_SECONDS = 3 * DAY_SECONDS;
const HOURLY_FROM = 5;
const DAILY_FROM = 10;
/** So many times the usual number is unusual. */
const OFTEN = 4;

const usualPerHour = ({ usualPerDay }: WithdrawalFacts) => Math.max(1, Math.round(usualPerDay / 24));
const usualADay = ({ usualPerDay }: WithdrawalFacts) => Math.max(1, Math.round(usualPerDay));

function secondsSinceDeposit({ lastDepositAt, now }: WithdrawalFacts): number {
  return lastDepositAt === null ? Infinity : (now.getTime() - lastDepositAt.getTime()) / 1000;
}

/**
 * The signals of a withdrawal. What a new client that starts with a burst of withdrawals trips over (the first one, a new destination,
 * often in the hour and in the day) stays below a review.
 */
const RULES: readonly RiskRule<WithdrawalFacts>[] = [
  {
    weight: 35,
    when: (facts) => secondsSinceDeposit(facts) > DEPOSIT_DAYS * DAY_SECONDS,
    reason: ({ lastDepositAt }) => (lastDepositAt === null ? 'there was never a deposit' : `no deposit in the last ${DEPOSIT_DAYS} days`),
  },
  ...AMOUNT_RULES,
  {
    weight: 15,
    when: (facts) => facts.countLastHour >= HOURLY_FROM && facts.countLastHour >= OFTEN * usualPerHour(facts),
    reason: (facts) => `${counted(facts.countLastHour, 'withdrawal')} in the last hour, usual ${usualPerHour(facts)}`,
  },
  {
    weight: 10,
    when: (facts) => facts.countLastDay >= DAILY_FROM && facts.countLastDay >= OFTEN * usualADay(facts),
    reason: (facts) => `${counted(facts.countLastDay, 'withdrawal')} in the last day, usual ${usualADay(facts)}`,
  },
  {
    weight: 10,
    when: ({ destinationUsedBefore, destinationAgeSeconds }) => !destinationUsedBefore && destinationAgeSeconds < NEW_DESTINATION_SECONDS,
    reason: ({ destinationAgeSeconds }) => `destination is ${spanText(destinationAgeSeconds)} old`,
  },
  {
    weight: 5,
    when: ({ destinationUsedBefore, destinationAgeSeconds, earlierCount }) =>
      !destinationUsedBefore && destinationAgeSeconds >= NEW_DESTINATION_SECONDS && earlierCount > 0,
    reason: () => 'first withdrawal to this destination',
  },
  {
    weight: 10,
    when: ({ earlierCount }) => earlierCount === 0,
    reason: () => 'first withdrawal',
  },
];

/** How risky a withdrawal looks: `allow`, or `review` by people. It never blocks. */
export function assessWithdrawal(facts: WithdrawalFacts): Risk {
  return assess(RULES, facts);
}
