import { judgeAsShipped } from '../../../test/support/shipped-rules';
import { historySignals, type WithdrawalFacts } from './withdrawal-signals';

const DAY = 86_400;
const now = new Date('2026-01-10T12:00:00.000Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

/** A withdrawal like all those before it. */
const usual: WithdrawalFacts = {
  amountMinor: 62_500_000n, currency: 'USDT', lastDepositAt: ago(3600), earlierCount: 20, averageMinor: 62_500_000n, maxMinor: 100_000_000n,
  countLastHour: 1, countLastDay: 3, usualPerDay: 2, destinationAgeSeconds: 90 * DAY, destinationUsedBefore: true, credentialChange: null, now,
};
const assess = (change: Partial<WithdrawalFacts>) => judgeAsShipped('withdrawal', historySignals({ ...usual, ...change }));
const nothingBefore = { earlierCount: 0, averageMinor: null, maxMinor: null, usualPerDay: 0, destinationUsedBefore: false };

describe('the risk of a withdrawal', () => {
  it('is nothing when all is as usual', () => {
    expect(assess({})).toEqual({ score: 0, decision: 'allow', reasons: [] });
  });

  it.each<[string, Partial<WithdrawalFacts>, number, string[]]>([
    ['7 days after a deposit', { lastDepositAt: ago(7 * DAY) }, 0, []],
    ['a second later', { lastDepositAt: ago(7 * DAY + 1) }, 0.35, ['no deposit in the last 7 days']],
    ['without any deposit', { lastDepositAt: null }, 0.35, ['there was never a deposit']],
    ['just below three times the usual', { amountMinor: 187_499_999n }, 0, []],
    ['three times the usual', { amountMinor: 187_500_000n }, 0.25, ['3.0 times the usual amount (187.500000 USDT; usual 62.500000)']],
    ['four times the usual and twice the largest', { amountMinor: 250_000_000n }, 0.35, [
      '4.0 times the usual amount (250.000000 USDT; usual 62.500000)', 'at least twice the largest before (100.000000 USDT)',
    ]],
    ['ten times the usual, as once before', { amountMinor: 625_000_000n, maxMinor: 625_000_000n }, 0.45, [
      '10.0 times the usual amount (625.000000 USDT; usual 62.500000)',
    ]],
    ['no usual amount after two', { amountMinor: 625_000_000n, earlierCount: 2 }, 0, []],
    ['an average of nothing', { averageMinor: 0n, maxMinor: 0n }, 0, []],
    ['12 in an hour', { countLastHour: 12, countLastDay: 14, usualPerDay: 24 }, 0.15, ['12 withdrawals in the last hour, usual 1']],
    ['12 in an hour of somebody busy', { countLastHour: 12, countLastDay: 80, usualPerDay: 96 }, 0, []],
    ['20 in a day', { countLastDay: 20 }, 0.1, ['20 withdrawals in the last day, usual 2']],
    ['a destination of two hours', { destinationAgeSeconds: 7300, destinationUsedBefore: false }, 0.1, ['destination is 2 hours old']],
    ['a destination of one day', { destinationAgeSeconds: DAY, destinationUsedBefore: false }, 0.1, ['destination is 1 day old']],
    ['a destination that is new but known', { destinationAgeSeconds: 60 }, 0, []],
    ['an old destination that was never paid', { destinationUsedBefore: false }, 0.05, ['first withdrawal to this destination']],
    ['the first of all', { ...nothingBefore }, 0.1, ['first withdrawal']],
    ['reasons that add up to a half', { lastDepositAt: null, ...nothingBefore, destinationAgeSeconds: 30 }, 0.55, [
      'there was never a deposit', 'destination is 30 seconds old', 'first withdrawal',
    ]],
  ])('%s', (_, change, score, reasons) => {
    expect(assess(change)).toEqual({ score, decision: score >= 0.5 ? 'review' : 'allow', reasons });
  });

  it('lets an honest burst through: forty at once to a new destination, right after the first deposit', () => {
    const burst = { ...nothingBefore, countLastHour: 40, countLastDay: 40, destinationAgeSeconds: 5, lastDepositAt: now };
    expect(assess(burst)).toMatchObject({ decision: 'allow', score: 0.45 });
  });

  it('never blocks for what may be a coincidence, however much comes together', () => {
    const all = assess({
      amountMinor: 10n ** 27n, lastDepositAt: null, countLastHour: 500, countLastDay: 900,
      destinationUsedBefore: false, destinationAgeSeconds: 0,
    });
    expect([all.score, all.decision, all.reasons.length]).toEqual([0.79, 'review', 6]);
  });

  it('is the same for amounts that no number could hold', () => {
    const averageMinor = 10n ** 26n;
    const scoreOf = (amountMinor: bigint) => assess({ currency: 'ETH', averageMinor, maxMinor: 10n ** 27n, amountMinor }).score;
    expect([scoreOf(averageMinor * 3n), scoreOf(averageMinor * 3n - averageMinor / 10n)]).toEqual([0.25, 0]);
  });
});
